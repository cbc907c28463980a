import type { Connector } from '../../shared/adapters/workflows/engine/connector.ts';
import { keyError } from '../../shared/adapters/workflows/errors.ts';
import {
  fromPlain,
  isMap,
  toPlain,
  type Value,
  type ValueMap,
} from '../../shared/adapters/workflows/values.ts';

type Plain = Record<string, unknown>;
type Method = (args: Plain) => unknown;

/** An operation is done at its third look. */
const LOOKS = 3;

/** As much of Google's APIs as the samples use, with the answers their references describe, in memory. */
export function createFakeGoogle(): { connectors: Connector[]; polls: () => number } {
  const documents = new Map<string, Plain>();
  const objects = new Map<string, unknown>();
  let polls = 0;

  const methods: Record<string, Method> = {
    'firestore.v1.projects.databases.documents.createDocument': ({ parent, collectionId, query, body }) => {
      const name = `${parent as string}/${collectionId as string}/${(query as Plain)['documentId'] as string}`;
      documents.set(name, { name, fields: withTextIntegers((body as Plain)['fields'] as Plain) });
      return documents.get(name);
    },
    'firestore.v1.projects.databases.documents.get': ({ name }) => found(documents, name),
    'firestore.v1.projects.databases.documents.patch': ({ name, body }) => {
      const before = (documents.get(name as string)?.['fields'] ?? {}) as Plain;
      documents.set(name as string, { name, fields: { ...before, ...((body as Plain)['fields'] as Plain) } });
      return documents.get(name as string);
    },
    'firestore.v1.projects.databases.documents.delete': ({ name }) => void documents.delete(name as string),
    'storage.v1.buckets.insert': ({ body }) => void objects.set((body as Plain)['name'] as string, body),
    'storage.v1.buckets.get': ({ bucket }) => found(objects, bucket),
    'storage.v1.buckets.delete': ({ bucket }) => void objects.delete(bucket as string),
    'storage.v1.objects.insert': ({ bucket, name, body }) => {
      objects.set(`${bucket as string}/${name as string}`, body);
      return { bucket, name };
    },
    'storage.v1.objects.get': ({ bucket, object, alt }) => {
      const data = found(objects, `${bucket as string}/${object as string}`);
      return alt === 'media' ? data : { bucket, name: object };
    },
    'storage.v1.objects.delete': ({ bucket, object }) =>
      void objects.delete(`${bucket as string}/${object as string}`),
    'translate.v2.translations.translate': ({ query }) => {
      const text = (query as Plain)['q'] as string;
      return { data: { translations: [{ translatedText: `${text} (FR)` }] } };
    },
  };

  const operations: Record<string, Method> = {
    'firestore.v1.projects.databases.exportDocuments': ({ body }) => body,
    'bigquery.v2.jobs.insert': () => ({ state: 'DONE' }),
    'run.v1.namespaces.jobs.run': ({ name, location }) => ({ name, location, completed: true }),
  };

  const follow: NonNullable<Connector['follow']> = {
    progress: (operation) => {
      const result = isMap(operation) ? operation.get('response') : undefined;
      return result === undefined ? { state: 'running' } : { state: 'done', result };
    },
    poll: async (operation) => {
      polls += 1;
      const answer = isMap(operation) ? (operation.get('pending') ?? null) : null;
      return polls % LOOKS === 0 ? new Map([['response', answer]]) : operation;
    },
  };

  return {
    connectors: [
      ...Object.entries(methods).map(([name, method]) => connector(name, method)),
      ...Object.entries(operations).map(([name, method]) => ({
        ...connector(name, (args) => ({ pending: method(args) })),
        follow,
      })),
    ],
    polls: () => polls,
  };
}

function connector(name: string, method: Method): Connector {
  return {
    name: `googleapis.${name}`,
    parameters: [],
    isOpen: true,
    start: async (args: ValueMap): Promise<Value> => fromPlain(method(toPlain(args) as Plain)),
  };
}

function found(records: ReadonlyMap<string, unknown>, name: unknown): unknown {
  const record = records.get(name as string);
  if (record === undefined) throw keyError(name as string);
  return record;
}

/** Firestore's JSON has 64-bit integers as text. */
function withTextIntegers(fields: Plain): Plain {
  const texts = Object.entries(fields).map(([key, value]) => {
    const { integerValue } = value as Plain;
    return [key, integerValue === undefined ? value : { integerValue: String(Number(integerValue)) }];
  });
  return Object.fromEntries(texts) as Plain;
}
