import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { HistoryEntry } from '../../shared/core/history.ts';
import type { Task, TaskAttempt } from '../../shared/core/task.ts';
import { startPlatform } from '../support/platform.ts';
import { type Recount, recount } from './recount-records.ts';
import { diamond } from './shapes.ts';

const CLEAN = { runs: 1, tasks: 6, missing: 0, duplicates: 0, early: 0, broken: 0, problems: [] };

describe('a recount', () => {
  let folder: string;
  let runId: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-recount-'));
    const platform = await startPlatform({
      folder: join(folder, 'good'),
      work: () => Promise.resolve({ outcome: 'succeeded', summary: 'done' }),
    });
    const plan = { tasks: diamond() };
    const { body } = await platform.post('/api/requirements', { requirement: 'Nothing.', plan });
    runId = String(body['runId']);
    await platform.ended(runId);
    await platform.settled();
    await platform.stop();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What it says when one record of the database was something else. */
  async function recountAfter<T extends object>(
    id: string,
    tamper: (record: T) => T | undefined,
  ): Promise<Recount> {
    const copy = await mkdtemp(join(folder, 'tampered-'));
    await cp(join(folder, 'good'), copy, { recursive: true });
    const database = new DatabaseSync(join(copy, 'penstock.db'));
    const { data } = database.prepare('SELECT data FROM documents WHERE id = ?').get(id) ?? {};
    const tampered = tamper(JSON.parse(String(data)) as T);
    if (tampered === undefined) database.prepare('DELETE FROM documents WHERE id = ?').run(id);
    else database.prepare('UPDATE documents SET data = ? WHERE id = ?').run(JSON.stringify(tampered), id);
    database.close();
    return recount(copy);
  }

  it('finds nothing wrong with what the platform stored', () => {
    expect(recount(join(folder, 'good'))).toEqual(CLEAN);
  });

  it('misses a task that is gone', async () => {
    expect(await recountAfter('f', () => undefined)).toMatchObject({ tasks: 5, missing: 1 });
  });

  it('misses a task that has not succeeded', async () => {
    expect(await recountAfter<Task>('f', (task) => ({ ...task, state: 'failed' }))).toMatchObject({
      missing: 1,
    });
  });

  it('finds a second attempt', async () => {
    const twice = ({ attempts: [first], ...task }: Task) => ({
      ...task,
      attempts: [first, { ...first, generation: 2 }] as TaskAttempt[],
    });
    expect(await recountAfter<Task>('b', twice)).toMatchObject({ missing: 0, duplicates: 1, early: 0 });
  });

  it('finds a task that began twice in one attempt', async () => {
    const again = (task: Task) => ({
      ...task,
      history: task.history.flatMap((entry) => (entry.state === 'running' ? [entry, entry] : [entry])),
    });
    expect(await recountAfter<Task>('b', again)).toMatchObject({ duplicates: 1, broken: 1 });
  });

  it('finds a task that began before what it waits for had ended', async () => {
    const hurried = ({ attempts: [first], ...task }: Task) => ({
      ...task,
      attempts: [{ ...first, startedAt: (first?.startedAt ?? 0) - 60_000 }] as TaskAttempt[],
    });
    expect(await recountAfter<Task>('f', hurried)).toMatchObject({ early: 1, duplicates: 0 });
  });

  it('finds a run that ended twice', async () => {
    const ended = (run: { history: HistoryEntry[] }) => ({
      ...run,
      history: [...run.history, ...run.history.slice(-1)],
    });
    expect(await recountAfter(runId, ended)).toMatchObject({ duplicates: 1 });
  });

  it('finds a history that was changed afterwards', async () => {
    const changed = (task: Task) => ({
      ...task,
      history: task.history.map((entry) => ({ ...entry, at: entry.at + 1 })),
    });
    expect(await recountAfter<Task>('c', changed)).toMatchObject({ broken: 1, missing: 0 });
  });

  it('is a program of its own that says what it found', async () => {
    const program = fileURLToPath(new URL('recount.ts', import.meta.url));
    const stdout = await new Promise<string>((resolve, reject) => {
      const args = ['--disable-warning=ExperimentalWarning', program, join(folder, 'good')];
      execFile(process.execPath, args, (error, text) => (error === null ? resolve(text) : reject(error)));
    });
    expect(JSON.parse(stdout)).toEqual(CLEAN);
  });
});
