import { cursorAfter } from '../../ports/page-cursor.ts';
import {
  checkCount,
  checkQuery,
  checkRef,
  checkRefs,
  checkSum,
  orderFields,
} from '../../ports/store-rules.ts';
import type { DocumentRef, Page, Query, Store, Versioned } from '../../ports/store.ts';
import type { FirestoreClient } from './firestore-client.ts';
import { documentName, prepareCommit, sendCommit } from './firestore-commit.ts';
import { readDocument, readSnapshot } from './firestore-document.ts';
import { fromProto, type DocumentProto, type ValueProto } from './firestore-proto.ts';
import { countQuery, pageQuery, sumQuery } from './firestore-query.ts';
import { callGoogle } from './google-call.ts';
import { joinAlike } from './join-alike.ts';
import { repeatRequest, type Repeat } from './repeat-request.ts';

export interface FirestoreStoreConfig {
  client: FirestoreClient;
  /** Of one call, all its tries included. @default 15000 */
  timeoutMs?: number;
  /** Told of each request that is sent again: there is no other repetition. */
  onRepeat?: (repeat: Repeat) => void;
  /** What to do when no answer comes, for messages. */
  ifUnreachable?: string;
}

const ROLE = 'roles/datastore.user';
const IF_MISSING =
  'apply the Terraform configuration, or set GOOGLE_CLOUD_PROJECT to the project that has the database';
const TIMEOUT_MS = 15_000;
/** A listener that ended for good, such as after a lost permission, is begun again. */
const WATCH_AGAIN_MS = 10_000;

/** One call with its deadline, its repetitions and its errors translated. */
type Call = <T>(what: string, work: (signal: AbortSignal) => Promise<T>) => Promise<T>;

/** Documents in Firestore, under the same paths and field names; fields that begin with `_penstock` are this adapter's own. */
export function createFirestoreStore(config: FirestoreStoreConfig): Store {
  const { client, timeoutMs = TIMEOUT_MS, onRepeat = () => undefined, ifUnreachable } = config;
  const { root } = client;
  const hint = ifUnreachable === undefined ? {} : { ifUnreachable };
  const call: Call = (what, work) =>
    callGoogle({ what, role: ROLE, timeoutMs, ifMissing: IF_MISSING, ...hint }, (signal) =>
      repeatRequest({ what, signal, onRepeat }, () => work(signal)),
    );
  const joinCounts = joinAlike<number>();
  const joinQueries = joinAlike<DocumentProto[]>();

  const store: Store = {
    async get<T extends object>(ref: DocumentRef<T>) {
      checkRef(ref);
      const what = `read of ${ref.collection}/${ref.id}`;
      const [found] = await call(what, (signal) => client.getDocuments([documentName(root, ref)], signal));
      return found === undefined ? undefined : readDocument<T>(root, found);
    },
    async getMany<T extends object>(refs: DocumentRef<T>[]) {
      checkRefs(refs);
      const [first] = refs;
      if (first === undefined) return [];
      const names = refs.map((ref) => documentName(root, ref));
      const what = `read of ${refs.length} documents such as ${first.collection}/${first.id}`;
      const found = await call(what, (signal) => client.getDocuments([...new Set(names)], signal));
      const byName = new Map(found.map((document) => [document.name, document]));
      return names.map((name) => {
        const document = byName.get(name);
        return document === undefined ? undefined : readDocument<T>(root, document);
      });
    },
    async create(ref, data, options = {}) {
      const { outcome } = await store.commit([{ op: 'create', ref, data, ...options }]);
      return outcome === 'committed' ? 'created' : 'exists';
    },
    async commit(writes) {
      const commit = prepareCommit(root, writes);
      return call(commit.name, (signal) => sendCommit(client, commit, signal));
    },
    async query(query) {
      checkQuery(query);
      const { parent, query: page } = pageQuery(root, query);
      const found = await joinQueries(JSON.stringify(query), () =>
        call(`query of ${nameOf(query.from)}`, (signal) => client.query(parent, page, signal)),
      );
      return toPage(
        query,
        found.map((document) => readDocument(root, document)),
      );
    },
    async count(query) {
      checkCount(query);
      const { parent, query: counted } = countQuery(root, query);
      return joinCounts(JSON.stringify(query), () =>
        call(`count of ${nameOf(query.from)}`, async (signal) =>
          toNumber(await client.aggregate(parent, counted, signal)),
        ),
      );
    },
    async sum(query) {
      checkSum(query);
      const { parent, query: summed } = sumQuery(root, query);
      return call(`sum over ${nameOf(query.from)}`, async (signal) =>
        toNumber(await client.aggregate(parent, summed, signal)),
      );
    },
    watch(ref, onChange) {
      checkRef(ref);
      return watchDocument(client, ref, onChange);
    },
    close: () => callGoogle({ what: 'close of Firestore', role: ROLE, timeoutMs }, () => client.close()),
  };
  return store;
}

/** A sum of nothing is null. */
function toNumber(value: ValueProto): number {
  return Number(fromProto(value) ?? 0);
}

function toPage<T extends object>(query: Query<T>, found: Versioned<T>[]): Page<T> {
  const documents = found.slice(0, query.limit);
  const last = documents.at(-1);
  if (found.length <= query.limit || last === undefined) return { documents };
  return { documents, cursor: cursorAfter(last, orderFields(query)) };
}

function watchDocument<T extends object>(
  client: FirestoreClient,
  ref: DocumentRef<T>,
  onChange: (document: Versioned<T> | undefined) => void,
): () => void {
  let again: NodeJS.Timeout | undefined;
  let stop = begin();
  function begin(): () => void {
    return client.listen(
      `${ref.collection}/${ref.id}`,
      (snapshot) => onChange(readSnapshot(ref, snapshot)),
      () => {
        again = setTimeout(() => (stop = begin()), WATCH_AGAIN_MS).unref();
      },
    );
  }
  return () => {
    clearTimeout(again);
    stop();
  };
}

function nameOf(from: Query<object>['from']): string {
  return 'group' in from ? `all collections ${from.group}` : from.collection;
}
