import { randomUUID } from 'node:crypto';
import { encodeDocument } from '../../ports/store-rules.ts';
import type { CommitResult, Write } from '../../ports/store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';
import { columnNames, keysOf, type GroupLayout } from './sqlite-documents.ts';
import { changeItems, insertItems, removeItems } from './sqlite-items.ts';
import type { Place, Places } from './sqlite-places.ts';
import { pathKey } from './sqlite-query.ts';

/** A write as it was asked for, whatever becomes of its object afterwards. */
export interface EncodedWrite {
  collection: string;
  id: string;
  op: Write['op'];
  ifVersion?: string | undefined;
  /** Absent for a delete. */
  content?: Content;
}

interface Content {
  text: string;
  expireAt: number | null;
  /** As in the columns of that layout. */
  keys: (string | null)[];
  layout: GroupLayout;
}

/** What a document is filed under before it is written. */
interface Stored {
  number: number;
  version: string;
  expireAt: number | null;
  keys: (string | null)[];
}

/** Compare-and-set of documents, with everything that is filed about them. */
export function createWriter(database: SqliteDatabase, places: Places) {
  const nextVersion = createVersions();

  function find({ collection, layout }: Place, id: string): Stored | undefined {
    const row = database.prepare(findSql(layout)).get(collection, id);
    if (row === undefined) return undefined;
    const [number, version, expireAt, ...keys] = row as unknown as [number, string, number | null];
    return { number, version, expireAt, keys };
  }

  function insert({ collection, layout }: Place, { collection: path, id }: EncodedWrite, content: Content) {
    const version = nextVersion();
    const keys = keysFor(content, layout);
    const { lastInsertRowid } = database
      .prepare(insertSql(layout))
      .run(
        collection,
        layout.number,
        id,
        pathKey(`${path}/${id}`),
        version,
        content.expireAt,
        ...keys,
        content.text,
      );
    database.tally.documents += 1;
    if (layout.arrays.length > 0)
      insertItems(database, layout, { number: Number(lastInsertRowid), collection, keys });
    return version;
  }

  /** Touches the index entries whose keys change, and no other. */
  function update({ collection, layout }: Place, stored: Stored, content: Content): string {
    const version = nextVersion();
    const keys = keysFor(content, layout);
    const values: (string | number | null)[] = [version, content.text];
    let changed = '';
    for (let at = 0; at < keys.length; at += 1) {
      const key = keys[at] ?? null;
      if (key === stored.keys[at]) continue;
      changed += `,${at}`;
      values.push(key);
    }
    if (content.expireAt !== stored.expireAt) {
      changed += ',expiry';
      values.push(content.expireAt);
    }
    values.push(stored.number);
    database.prepare(updateSql(layout, changed)).run(...values);
    database.tally.documents += 1;
    if (changed !== '' && layout.arrays.length > 0)
      changeItems(database, layout, { number: stored.number, collection, keys, before: stored.keys });
    return version;
  }

  function remove({ layout }: Place, { number }: Stored): string {
    database.prepare('DELETE FROM documents WHERE number = ?').run(number);
    database.tally.documents += 1;
    for (const array of layout.arrays) removeItems(database, array, number);
    return '';
  }

  return {
    encode(write: Write): EncodedWrite {
      const { op, ref } = write;
      const { collection, id } = ref;
      if (op === 'delete') return { op, collection, id, ifVersion: write.ifVersion };
      const text = encodeDocument(ref, write.data);
      const { layout } = places.find(collection);
      const content = { text, expireAt: write.expireAt ?? null, keys: keysOf(layout, write.data), layout };
      return { op, collection, id, content, ifVersion: op === 'set' ? write.ifVersion : undefined };
    },

    /** Within a transaction: all of it, or nothing when one is in conflict. */
    apply(writes: EncodedWrite[]): CommitResult {
      const found: { write: EncodedWrite; place: Place; stored: Stored | undefined }[] = [];
      for (const write of writes) {
        const place = places.findOrAdd(write.collection);
        const stored = find(place, write.id);
        if (!holds(write, stored)) return { outcome: 'conflict' };
        found.push({ write, place, stored });
      }
      const versions = found.map(({ write, place, stored }) => {
        if (write.content === undefined) return stored === undefined ? '' : remove(place, stored);
        return stored === undefined
          ? insert(place, write, write.content)
          : update(place, stored, write.content);
      });
      return { outcome: 'committed', versions };
    },
  };
}

/** Never two alike, so that a document made again has no version of the one before it. */
function createVersions(): () => string {
  const ours = randomUUID().replaceAll('-', '').slice(0, 20);
  let count = 0;
  return () => {
    count += 1;
    return `${ours}${count.toString(36)}`;
  };
}

function holds({ op, ifVersion }: EncodedWrite, stored: Stored | undefined): boolean {
  if (op === 'create') return stored === undefined;
  return ifVersion === undefined || stored?.version === ifVersion;
}

/** Indexes may have been declared since the content was encoded. */
function keysFor({ keys, layout, text }: Content, now: GroupLayout): (string | null)[] {
  return layout === now ? keys : keysOf(now, JSON.parse(text) as object);
}

function findSql(layout: GroupLayout): string {
  return remembered(layout, 'find', (names) => {
    const columns = ['number', 'version', 'expire_at', ...names];
    return `SELECT ${columns.join(', ')} FROM documents WHERE collection = ? AND id = ?`;
  });
}

function insertSql(layout: GroupLayout): string {
  return remembered(layout, 'insert', (names) => {
    const columns = [
      'collection',
      'collection_group',
      'id',
      'path',
      'version',
      'expire_at',
      ...names,
      'data',
    ];
    return `INSERT INTO documents (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  });
}

/** `changed`: the places of columns, and the expiry. */
function updateSql(layout: GroupLayout, changed: string): string {
  return remembered(layout, changed, (names) => {
    const places = changed.split(',').slice(1);
    const columns = places.map((at) => (at === 'expiry' ? 'expire_at' : names[Number(at)]));
    return `UPDATE documents SET ${['version', 'data', ...columns].map((column) => `${column} = ?`).join(', ')} WHERE number = ?`;
  });
}

function remembered(layout: GroupLayout, what: string, make: (names: string[]) => string): string {
  let text = layout.statements.get(what);
  if (text === undefined) {
    text = make(columnNames(layout));
    layout.statements.set(what, text);
  }
  return text;
}
