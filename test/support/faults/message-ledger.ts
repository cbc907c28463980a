import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isTransient } from '../../../shared/ports/penstock-error.ts';
import type { Queue } from '../../../shared/ports/queue.ts';
import type { Topic } from '../../../shared/messages/topics.ts';
import type { MessageFunction } from '../../../shared/runtime/functions.ts';

/** `lost`: the queue has forgotten all that it held. */
type Line = { what: 'published' | 'handled'; topic: string; message: object } | { what: 'lost' };

const fileOf = (folder: string): string => join(folder, 'messages.ndjson');

function note(folder: string, line: Line): void {
  appendFileSync(fileOf(folder), `${JSON.stringify(line)}\n`);
}

export const noteLost = (folder: string): void => note(folder, { what: 'lost' });

/** The same queue; what it has taken is noted. */
export function notePublished(folder: string, queue: Queue): Queue {
  return {
    ...queue,
    publish: async (topic, message, options) => {
      await queue.publish(topic, message, options);
      note(folder, { what: 'published', topic, message });
    },
  };
}

/** The same function; what it will not be given again is noted. */
export function noteHandled<T extends Topic>(folder: string, fn: MessageFunction<T>): MessageFunction<T> {
  return {
    ...fn,
    handle: async (ports, message) => {
      try {
        await fn.handle(ports, message);
      } catch (error) {
        if (isTransient(error)) throw error;
        note(folder, { what: 'handled', topic: fn.topic, message });
        throw error;
      }
      note(folder, { what: 'handled', topic: fn.topic, message });
    },
  };
}

/** Messages that were published and not handled so often: nobody can ask Pub/Sub's emulator for them. */
export function undelivered(folder: string): string[] {
  if (!existsSync(fileOf(folder))) return [];
  const open = new Map<string, number>();
  for (const text of readFileSync(fileOf(folder), 'utf8').split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as Line;
    if (line.what === 'lost') open.clear();
    else {
      const key = `${line.topic} ${JSON.stringify(line.message)}`;
      open.set(key, (open.get(key) ?? 0) + (line.what === 'published' ? 1 : -1));
    }
  }
  return [...open].flatMap(([key, count]) => (count > 0 ? [key] : []));
}
