import type { SqliteDatabase } from './sqlite-database.ts';
import { emptyLayout, groupNumber, readLayouts, type GroupLayout } from './sqlite-documents.ts';
import { groupOf } from './sqlite-query.ts';

/** A collection by its number, which stands for its path in tables and indexes. */
export interface Place {
  collection: number;
  layout: GroupLayout;
}

/** No collection and no group has it: what was never written to is empty. */
const NOWHERE = 0;
/** Forgotten at once when there are more; they are found again. */
const MAX_KNOWN = 10_000;

/** Numbers and layouts, remembered while nothing else can have changed them. */
export function createPlaces(database: SqliteDatabase) {
  let layouts = readLayouts(database);
  let generation = database.generation();
  const known = new Map<string, Place>();
  const undeclared = new Map<string, GroupLayout>();

  function refresh(): void {
    if (generation === database.generation()) return;
    generation = database.generation();
    layouts = readLayouts(database);
    known.clear();
    undeclared.clear();
  }

  function find(path: string): Place | undefined {
    const found = database
      .prepare('SELECT number, collection_group FROM document_collections WHERE path = ?')
      .get(path) as unknown as [number, number] | undefined;
    return found && remember(path, { collection: found[0], layout: layoutOf(path, found[1]) });
  }

  function remember(path: string, place: Place): Place {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(path, place);
    return place;
  }

  function layoutOf(path: string, group: number): GroupLayout {
    return layouts.get(groupOf(path)) ?? emptyLayout(group);
  }

  return {
    find(path: string): Place {
      refresh();
      return known.get(path) ?? find(path) ?? { collection: NOWHERE, layout: layoutOf(path, NOWHERE) };
    },
    /** Within a transaction: gives a number on first use. */
    findOrAdd(path: string): Place {
      refresh();
      const there = known.get(path) ?? find(path);
      if (there !== undefined) return there;
      const layout = layoutOf(path, groupNumber(database, groupOf(path)));
      const added = database
        .prepare('INSERT INTO document_collections (path, collection_group) VALUES (?, ?)')
        .run(path, layout.number);
      database.tally.names += 1;
      return remember(path, { collection: Number(added.lastInsertRowid), layout });
    },
    group(name: string): GroupLayout {
      refresh();
      const found = layouts.get(name) ?? undeclared.get(name);
      if (found !== undefined) return found;
      const row = database.prepare('SELECT number FROM document_groups WHERE name = ?').get(name);
      if (row === undefined) return emptyLayout(NOWHERE);
      if (undeclared.size >= MAX_KNOWN) undeclared.clear();
      const layout = emptyLayout((row as unknown as [number])[0]);
      undeclared.set(name, layout);
      return layout;
    },
  };
}

export type Places = ReturnType<typeof createPlaces>;
