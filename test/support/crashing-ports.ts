import type { Ports } from '../../shared/core/ports.ts';

/** What a process that dies throws; nothing else does. */
export class Crash extends Error {}

/**
 * The same ports until the n-th thing (from 1) that changes something: there the process dies, before it or after it, and does
 * nothing more. `reached` tells whether there was an n-th.
 */
export function crashingPorts(
  ports: Ports,
  n: number,
  when: 'before' | 'after',
): { ports: Ports; reached(): boolean } {
  let done = 0;
  const dying = async <R>(act: () => Promise<R>): Promise<R> => {
    done += 1;
    if (done > n || (done === n && when === 'before')) throw new Crash(`died before change ${n}`);
    const result = await act();
    if (done >= n) throw new Crash(`died after change ${n}`);
    return result;
  };
  const { store, blobs, queue, jobs } = ports;
  return {
    reached: () => done >= n,
    ports: {
      ...ports,
      store: {
        ...store,
        commit: (writes) => dying(() => store.commit(writes)),
        create: (ref, data, options) => dying(() => store.create(ref, data, options)),
      },
      blobs: {
        ...blobs,
        put: (key, bytes, options) => dying(() => blobs.put(key, bytes, options)),
        delete: (key) => dying(() => blobs.delete(key)),
      },
      queue: {
        ...queue,
        publish: (topic, message, options) => dying(() => queue.publish(topic, message, options)),
      },
      jobs: { ...jobs, cancel: (attempt) => dying(() => jobs.cancel(attempt)) },
    },
  };
}
