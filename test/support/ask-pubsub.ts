import { persistentFetch } from './persistent-fetch.ts';

/** What a first, unanswered attempt may have done already. */
const DONE_BEFORE = { PUT: 409, DELETE: 404 };

/** Makes or removes a topic or subscription, `project/kind/name`, on the Pub/Sub emulator. Throws what it refuses. */
export async function askPubsub(
  pubsubHost: string,
  method: 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<void> {
  const response = await persistentFetch(`http://${pubsubHost}/v1/projects/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok && response.status !== DONE_BEFORE[method])
    throw new Error(`the Pub/Sub emulator refused ${method} ${path}: ${text}`);
}
