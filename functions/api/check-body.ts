import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { ApiContext } from './api-env.ts';

/** For a route that uses nothing of its body: what is not JSON was meant for another. */
export async function checkBody(context: ApiContext): Promise<void> {
  const text = await context.req.text();
  if (text === '') return;
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new PenstockError('invalid', 'the body is not JSON; send {}', { cause });
  }
}
