import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobManner } from '../../../contract/job-starter-contract.ts';

/** What a started job says of itself. */
export interface JobReport {
  pid: number;
  env: Record<string, string>;
  argv: string[];
  /** From the kernel, as anybody on the machine sees it. */
  commandLine: string;
  /** Process group. */
  group: number;
  /** What a stubborn job started itself. */
  child?: number;
}

/** A folder with a program that reports what it was given, then behaves as its argument says. */
export interface JobProgram {
  folder: string;
  logFolder: string;
  environment: Record<string, string>;
  command: (manner: JobManner) => string[];
  reports: () => Promise<JobReport[]>;
  /** Processes of it that run right now. */
  alive: () => Promise<number[]>;
  /** Kills what is left of it, and removes the folder. */
  remove: () => Promise<void>;
}

/** The report has its name only when it is whole. `stubborn` has a child of its own that outlives a killed parent. */
const PROGRAM = `
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
const manner = process.argv[2];
if (manner === 'obedient') process.on('SIGTERM', () => { console.error('wrapping up'); process.exit(0); });
if (manner === 'stubborn') process.on('SIGTERM', () => console.error('no'));
const child = manner === 'stubborn' ? spawn('sleep', ['60'], { stdio: 'ignore' }).pid : undefined;
console.error('a line of the job');
const commandLine = readFileSync('/proc/self/cmdline', 'utf8');
const group = Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ')[2]);
const file = process.env.REPORTS + '/' + process.hrtime.bigint() + '-' + process.pid;
const report = { pid: process.pid, env: process.env, argv: process.argv.slice(2), commandLine, group, child };
writeFileSync(file, JSON.stringify(report));
renameSync(file, file + '.json');
if (manner !== 'brief') setInterval(() => {}, 1000);
`;

export async function writeJobProgram(): Promise<JobProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-jobs-'));
  const file = join(folder, 'job.mjs');
  const reportFolder = join(folder, 'reports');
  await mkdir(reportFolder);
  await writeFile(file, PROGRAM);
  const reports = async (): Promise<JobReport[]> => {
    const names = (await readdir(reportFolder)).filter((name) => name.endsWith('.json')).toSorted();
    return Promise.all(
      names.map(async (name) => JSON.parse(await readFile(join(reportFolder, name), 'utf8')) as JobReport),
    );
  };
  const alive = async () => (await reports()).map(({ pid }) => pid).filter(isAlive);
  return {
    folder,
    logFolder: join(folder, 'logs'),
    environment: { REPORTS: reportFolder, PATH: process.env['PATH'] ?? '' },
    command: (manner) => [process.execPath, file, manner],
    reports,
    alive,
    remove: async () => {
      const left = (await reports()).filter(
        ({ pid, child }) => isAlive(pid) || (child !== undefined && isAlive(child)),
      );
      for (const { pid } of left) process.kill(-pid, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An orphan that has ended and that nobody has waited for counts as ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
