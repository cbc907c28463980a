import { persistentFetch } from '../persistent-fetch.ts';

/** A first request reads libraries: on a busy machine for longer than GitHub waits for the answer to a webhook. */
export async function warmUp(urls: string[]): Promise<void> {
  await Promise.all(
    urls.map(async (url) => {
      const response = await persistentFetch(url);
      await response.arrayBuffer();
    }),
  );
}
