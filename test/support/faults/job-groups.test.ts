import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endJobs, livingJobs, pidsFolder } from './job-groups.ts';

const FOR_EVER = 'setInterval(() => undefined, 1_000)';
/** Ends, and leaves a process behind. */
const PARENT = `require('node:child_process').spawn(process.execPath, ['-e', '${FOR_EVER}'], { stdio: 'ignore' }).unref()`;
const PATIENCE_MS = 60_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-groups-'));
  await mkdir(pidsFolder(folder));
});
afterEach(async () => {
  endJobs(folder);
  await rm(folder, { recursive: true });
});

async function startJob(program: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', program, 'faults/job.ts'], {
    detached: true,
    stdio: 'ignore',
  });
  await writeFile(join(pidsFolder(folder), String(child.pid)), '');
  return child;
}

async function hasNoneLeft(): Promise<boolean> {
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until && livingJobs(folder).length > 0) await sleep(20);
  return livingJobs(folder).length === 0;
}

it('a job that still runs is seen, and ended with all that it started', async () => {
  const job = await startJob(FOR_EVER);
  expect(livingJobs(folder)).toEqual([String(job.pid)]);
  endJobs(folder);
  expect(await hasNoneLeft()).toBe(true);
});

it('what a job left behind when it ended is seen too', async () => {
  const job = await startJob(PARENT);
  await once(job, 'exit');
  expect(livingJobs(folder)).toEqual([String(job.pid)]);
  endJobs(folder);
  expect(await hasNoneLeft()).toBe(true);
});

it('a job that has ended is not', async () => {
  const job = await startJob('0');
  await once(job, 'exit');
  expect(await hasNoneLeft()).toBe(true);
});
