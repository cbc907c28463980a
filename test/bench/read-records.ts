import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Run } from '../../shared/core/run.ts';
import { planSourceOf } from '../../shared/core/plan/stored-plan.ts';
import type { Task } from '../../shared/core/task.ts';

/** What a platform has stored, read without it and without any of its code. */
export interface StoredRecords {
  runs(): Run[];
  tasks(run: string): Task[];
  /** What a run was asked to do: ids and dependencies of its plan's tasks. */
  plan(run: Run): { id: string; dependencies: string[] }[];
}

/** In a data folder, as they stand at the moment of each call. */
export interface Records extends StoredRecords {
  /** How many of the runs have ended. */
  countEnded(runs: string[]): number;
  close(): void;
}

const TENANT = 'local';
/** What file-blobs puts behind the name of a folder. */
const FOLDER_MARK = '~';

export function openRecords(dataFolder: string): Records {
  const database = new DatabaseSync(join(dataFolder, 'penstock.db'), { readOnly: true, timeout: 5_000 });
  const inCollection =
    'JOIN document_collections AS held ON held.number = stored.collection AND held.path = ?';
  const byCollection = database.prepare(`SELECT stored.data FROM documents AS stored ${inCollection}`);
  const ended = database.prepare(
    `SELECT count(*) AS runs FROM documents AS stored ${inCollection} JOIN json_each(?) AS wanted ON wanted.value = stored.id
     WHERE json_extract(stored.data, '$.endedAt') IS NOT NULL`,
  );
  const collection = <T>(path: string): T[] =>
    byCollection.all(path).map(({ data }) => JSON.parse(String(data)) as T);
  return {
    runs: () => collection<Run>(`tenants/${TENANT}/runs`),
    tasks: (run) => collection<Task>(`tenants/${TENANT}/runs/${run}/tasks`),
    countEnded: (runs) => Number(ended.get(`tenants/${TENANT}/runs`, JSON.stringify(runs))?.['runs']),
    plan: (run) => {
      const source = planSourceOf(run);
      if (source === undefined) throw new Error(`run ${run.id} has no plan`);
      if ('text' in source) return tasksOfPlan(source.text);
      const segments = source.key.split('/');
      const folders = segments.slice(0, -1).map((segment) => segment + FOLDER_MARK);
      const text = readFileSync(join(dataFolder, 'blobs', ...folders, segments.at(-1) ?? ''), 'utf8');
      return tasksOfPlan(text);
    },
    close: () => database.close(),
  };
}

/** Of a plan as it is stored. */
export function tasksOfPlan(text: string): { id: string; dependencies: string[] }[] {
  return (JSON.parse(text) as { tasks: { id: string; dependencies: string[] }[] }).tasks;
}

/** When its last dependency ended, for each task that had any: what it had to wait for. */
export function dependenciesEndedAt(
  task: Pick<Task, 'dependencies'>,
  tasks: ReadonlyMap<string, Task>,
): number {
  return Math.max(...task.dependencies.map((id) => tasks.get(id)?.attempts.at(-1)?.endedAt ?? Infinity));
}
