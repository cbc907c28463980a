import type { Ports } from '../../shared/core/ports.ts';
import type { Store, Write } from '../../shared/ports/store.ts';

/** What went through the ports. */
export interface Bill {
  /** Documents of committed writes. */
  taskWrites: number;
  otherWrites: number;
  /** A document that a query answers is one read. */
  reads: number;
  /** Queries that found nothing; Firestore bills each as one read. */
  emptyAnswers: number;
  counts: number;
  /** By topic. */
  messages: Record<string, number>;
  /** Commits that were not applied because a version had changed, and would have to be tried again. */
  conflicts: number;
}

export function emptyBill(): Bill {
  return { taskWrites: 0, otherWrites: 0, reads: 0, emptyAnswers: 0, counts: 0, messages: {}, conflicts: 0 };
}

/** Ports that write onto `bill` what they are asked for. */
export function countPorts(bill: Bill): (ports: Ports) => Ports {
  return (ports) => ({
    ...ports,
    store: countStore(bill, ports.store),
    queue: {
      ...ports.queue,
      publish: async (topic, message, options) => {
        bill.messages[topic] = (bill.messages[topic] ?? 0) + 1;
        await ports.queue.publish(topic, message, options);
      },
    },
  });
}

function countStore(bill: Bill, store: Store): Store {
  const written = (writes: Pick<Write, 'ref'>[]): void => {
    for (const { ref } of writes) {
      if (ref.collection.endsWith('/tasks')) bill.taskWrites += 1;
      else bill.otherWrites += 1;
    }
  };
  return {
    ...store,
    get: async (ref) => {
      bill.reads += 1;
      return store.get(ref);
    },
    getMany: async (list) => {
      bill.reads += list.length;
      return store.getMany(list);
    },
    create: async (ref, data, options) => {
      const outcome = await store.create(ref, data, options);
      if (outcome === 'exists') bill.conflicts += 1;
      else written([{ ref }]);
      return outcome;
    },
    commit: async (writes) => {
      const result = await store.commit(writes);
      if (result.outcome === 'conflict') bill.conflicts += 1;
      else written(writes);
      return result;
    },
    query: async (query) => {
      const page = await store.query(query);
      bill.reads += page.documents.length;
      if (page.documents.length === 0) bill.emptyAnswers += 1;
      return page;
    },
    count: async (query) => {
      bill.counts += 1;
      return store.count(query);
    },
  };
}
