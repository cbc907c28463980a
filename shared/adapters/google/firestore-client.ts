import firestore from '@google-cloud/firestore';
import { PassThroughClient } from 'google-auth-library';
import { grpc, type CallOptions } from 'google-gax';
import type { DocumentProto, TimestampProto, ValueProto } from './firestore-proto.ts';
import { RECONNECT } from './reconnect.ts';

type V1Client = InstanceType<typeof firestore.v1.FirestoreClient>;
/** What any of the library's streams is here. */
type Answers = NodeJS.EventEmitter & { cancel(): void };

export interface FirestoreClientConfig {
  projectId: string;
  /** @default '(default)' */
  databaseId?: string | undefined;
  /** `host:port`, as in `FIRESTORE_EMULATOR_HOST`. */
  emulatorHost?: string | undefined;
}

export type Precondition = { exists: boolean } | { updateTime: TimestampProto };
export type WriteProto = ({ update: DocumentProto } | { delete: string }) & {
  currentDocument?: Precondition;
};

/** A document as the library's listener shows it: its fields are plain values. */
export interface Snapshot {
  fields: object | undefined;
  updateTime: TimestampProto | undefined;
}

/**
 * What the store asks of Firestore. Each call is one request: the library's own retries are switched off, so that whoever counts calls
 * counts requests, and nothing is repeated behind the back of a caller that has given up.
 */
export interface FirestoreClient {
  /** Begins the name of every document. */
  readonly root: string;
  /** When each write was applied, in their order. */
  commit(writes: WriteProto[], signal: AbortSignal): Promise<(TimestampProto | undefined)[]>;
  /** Those that are there, in any order. */
  getDocuments(names: string[], signal: AbortSignal): Promise<DocumentProto[]>;
  /** `query` is Firestore's structured query, over collections of the document `parent`. */
  query(parent: string, query: object, signal: AbortSignal): Promise<DocumentProto[]>;
  /** The one value that is aggregated. */
  aggregate(parent: string, query: object, signal: AbortSignal): Promise<ValueProto>;
  /** Until the returned function is called; `onEnd` is called when the library has given up. */
  listen(path: string, onSnapshot: (snapshot: Snapshot) => void, onEnd: () => void): () => void;
  close(): Promise<void>;
}

/** As the library's own: a page of large documents is not held up for its acknowledgements. */
const FLOW_CONTROL = { 'grpc-node.flow_control_window': 256 * 1024 };
/** Nor does gRPC itself send anything again. */
const NO_RETRIES = { 'grpc.enable_retries': 0 };
/** Else credentials are looked for that the emulator does not need. */
const NOBODY = { authClient: new PassThroughClient() };
/** What the emulator takes for somebody who may do everything. */
const OWNER = { Authorization: 'Bearer owner' };

/**
 * Firestore through the library's generated client: half the work per request of the documented one, which repeats reads and commits out
 * of sight, for up to ten minutes. Only listening is left to the documented one. Connects with the first request.
 */
export function createFirestoreClient(config: FirestoreClientConfig): FirestoreClient {
  const { projectId, databaseId = '(default)', emulatorHost } = config;
  const database = `projects/${projectId}/databases/${databaseId}`;
  const root = `${database}/documents`;
  const headers = { 'google-cloud-resource-prefix': database, ...(emulatorHost === undefined ? {} : OWNER) };
  let client: V1Client | undefined;
  let listener: firestore.Firestore | undefined;

  /** A client that could not be made, such as without credentials, is made anew by the next call. */
  async function connected(): Promise<V1Client> {
    const current = (client ??= new firestore.v1.FirestoreClient(clientOptions(config)));
    try {
      await current.initialize();
      return current;
    } catch (error) {
      client = undefined;
      throw error;
    }
  }

  const once = (signal: AbortSignal): CallOptions => ({
    retry: null,
    retryRequestOptions: { retries: 0, noResponseRetries: 0 },
    signal,
    // The library writes into it.
    otherArgs: { headers: { ...headers } },
  });

  return {
    root,
    async commit(writes, signal) {
      const api = await connected();
      const [{ writeResults, commitTime }] = await api.commit({ database, writes }, once(signal));
      return (writeResults ?? []).map(
        ({ updateTime }) => (updateTime ?? commitTime ?? undefined) as TimestampProto | undefined,
      );
    },
    async getDocuments(names, signal) {
      const api = await connected();
      const request = { database, documents: names };
      const answers = await collect(api.batchGetDocuments(request, once(signal)), signal);
      // Each is told, also one that is not there.
      const told = answers.filter(({ found, missing }) => found || missing);
      if (told.length < names.length) throw cutShort();
      return told.flatMap(({ found }) => (found ? [found as DocumentProto] : []));
    },
    async query(parent, structuredQuery, signal) {
      const api = await connected();
      const answers = await collect(api.runQuery({ parent, structuredQuery }, once(signal)), signal);
      return answers.flatMap(({ document }) => (document ? [document as DocumentProto] : []));
    },
    async aggregate(parent, structuredAggregationQuery, signal) {
      const api = await connected();
      const request = { parent, structuredAggregationQuery };
      const answers = await collect(api.runAggregationQuery(request, once(signal)), signal);
      const result = answers.find((answer) => answer['result'])?.['result'];
      const { aggregateFields = {} } = (result ?? {}) as { aggregateFields?: Record<string, ValueProto> };
      const [value] = Object.values(aggregateFields);
      if (value === undefined) throw cutShort();
      return value;
    },
    listen(path, onSnapshot, onEnd) {
      listener ??= new firestore.Firestore({
        projectId,
        databaseId,
        ...(emulatorHost === undefined ? {} : { host: emulatorHost, ssl: false, ...NOBODY }),
      });
      return listener.doc(path).onSnapshot((snapshot) => {
        const { updateTime } = snapshot;
        const time = updateTime && { seconds: updateTime.seconds, nanos: updateTime.nanoseconds };
        onSnapshot({ fields: snapshot.data(), updateTime: time });
      }, onEnd);
    },
    close: async () => {
      await Promise.all([client?.close(), listener?.terminate()]);
    },
  };
}

function clientOptions({ emulatorHost }: FirestoreClientConfig) {
  const options = { ...RECONNECT, ...FLOW_CONTROL, ...NO_RETRIES };
  if (emulatorHost === undefined) return options;
  const at = emulatorHost.lastIndexOf(':');
  return {
    ...options,
    servicePath: emulatorHost.slice(0, at),
    port: Number(emulatorHost.slice(at + 1)),
    sslCreds: grpc.credentials.createInsecure(),
    ...NOBODY,
  };
}

/** What is not told is not known to be absent. */
function cutShort(): Error {
  return Object.assign(new Error('the answer ended before it was complete'), {
    code: grpc.status.UNAVAILABLE,
  });
}

/** All answers of a stream, or what it failed with. */
function collect(stream: Answers, signal: AbortSignal): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    const answers: Record<string, unknown>[] = [];
    signal.addEventListener('abort', () => stream.cancel(), { once: true });
    stream
      .on('data', (answer: Record<string, unknown>) => answers.push(answer))
      .on('error', reject)
      .on('end', () => resolve(answers));
  });
}
