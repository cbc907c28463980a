import { AggregateField, type Firestore } from '@google-cloud/firestore';
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
import { commitWrites, documentOf, type Call } from './firestore-commit.ts';
import { readSnapshot } from './firestore-document.ts';
import { fieldPath, filteredQuery, pageQuery } from './firestore-query.ts';
import { callGoogle } from './google-call.ts';

export interface FirestoreStoreConfig {
  firestore: Firestore;
  /** Of one call, the client library's own retries included. @default 15000 */
  timeoutMs?: number;
}

const ROLE = 'roles/datastore.user';
const TIMEOUT_MS = 15_000;
/** A listener that ended for good, such as after a lost permission, is begun again. */
const WATCH_AGAIN_MS = 10_000;

/** Documents in Firestore, under the same paths and field names; fields that begin with `_penstock` are this adapter's own. */
export function createFirestoreStore({ firestore, timeoutMs = TIMEOUT_MS }: FirestoreStoreConfig): Store {
  const call: Call = (what, work) => callGoogle({ what, role: ROLE, timeoutMs }, work);

  const store: Store = {
    async get(ref) {
      checkRef(ref);
      const document = documentOf(firestore, ref);
      return readSnapshot(await call(`read of ${document.path}`, () => document.get()));
    },
    async getMany<T extends object>(refs: DocumentRef<T>[]) {
      checkRefs(refs);
      if (refs.length === 0) return [];
      const documents = refs.map((ref) => documentOf(firestore, ref));
      const what = `read of ${refs.length} documents such as ${documents[0]?.path}`;
      const snapshots = await call(what, () => firestore.getAll(...documents));
      return snapshots.map((snapshot) => readSnapshot<T>(snapshot));
    },
    async create(ref, data, options = {}) {
      const { outcome } = await store.commit([{ op: 'create', ref, data, ...options }]);
      return outcome === 'committed' ? 'created' : 'exists';
    },
    commit: (writes) => commitWrites(firestore, call, writes),
    query: (query) => readPage(firestore, call, query),
    async count(query) {
      checkCount(query);
      const found = filteredQuery(firestore, query);
      const counted = (query.upTo === undefined ? found : found.limit(query.upTo)).count();
      return (await call(`count of ${nameOf(query.from)}`, () => counted.get())).data().count;
    },
    async sum(query) {
      checkSum(query);
      const total = AggregateField.sum(fieldPath(query.field));
      const summed = filteredQuery(firestore, query).aggregate({ total });
      return (await call(`sum over ${nameOf(query.from)}`, () => summed.get())).data().total;
    },
    watch(ref, onChange) {
      checkRef(ref);
      return listen(firestore, ref, onChange);
    },
    close: () => call('close of Firestore', () => firestore.terminate()),
  };
  return store;
}

async function readPage<T extends object>(
  firestore: Firestore,
  call: Call,
  query: Query<T>,
): Promise<Page<T>> {
  checkQuery(query);
  const page = pageQuery(firestore, query);
  const { docs } = await call(`query of ${nameOf(query.from)}`, () => page.get());
  const documents = docs.slice(0, query.limit).flatMap((document) => readSnapshot<T>(document) ?? []);
  const last = documents.at(-1);
  if (docs.length <= query.limit || last === undefined) return { documents };
  return { documents, cursor: cursorAfter(last, orderFields(query)) };
}

function listen<T extends object>(
  firestore: Firestore,
  ref: DocumentRef<T>,
  onChange: (document: Versioned<T> | undefined) => void,
): () => void {
  let again: NodeJS.Timeout | undefined;
  let stop = begin();
  function begin(): () => void {
    return documentOf(firestore, ref).onSnapshot(
      (snapshot) => onChange(readSnapshot(snapshot)),
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
