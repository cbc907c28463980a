import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPinoLog } from '../../../../shared/adapters/local/pino-log.ts';
import {
  createProcessJobStarter,
  type ProcessJobStarter,
  type ProcessJobStarterConfig,
} from '../../../../shared/adapters/local/process-job-starter.ts';
import { aJob, type JobManner, jobStarterContract, until } from '../../../contract/job-starter-contract.ts';
import { isAlive, type JobProgram, writeJobProgram } from './job-program.ts';

const GRACE_MS = 400;
const silent = createPinoLog({ level: 'SILENT' });

function starterOf(
  program: JobProgram,
  manner: JobManner,
  more: Partial<ProcessJobStarterConfig> = {},
): ProcessJobStarter {
  const { environment, logFolder } = program;
  return createProcessJobStarter({
    command: program.command(manner),
    environment,
    logFolder,
    maxJobs: 4,
    graceMs: GRACE_MS,
    log: silent,
    ...more,
  });
}

jobStarterContract('child processes', async ({ manner, maxJobs }) => {
  const program = await writeJobProgram();
  const starter = starterOf(program, manner, { maxJobs });
  return {
    starter,
    began: async () => (await program.reports()).map(({ env }) => env['PENSTOCK_ATTEMPT'] ?? ''),
    running: async () => (await program.alive()).length,
    close: async () => {
      await starter.stop();
      await program.remove();
    },
  };
});

describe('jobs as child processes', () => {
  let program: JobProgram;
  let starter: ProcessJobStarter | undefined;
  const lines: string[] = [];
  const open = (manner: JobManner, more: Partial<ProcessJobStarterConfig> = {}): ProcessJobStarter => {
    const log = createPinoLog({
      level: 'DEBUG',
      destination: { write: (line: string) => void lines.push(line) },
    });
    starter = starterOf(program, manner, { log, ...more });
    return starter;
  };
  const firstReport = async () => (await until(program.reports, (all) => all.length > 0))[0];
  const jobLogs = async (): Promise<string> => {
    const names = await readdir(program.logFolder);
    return (await Promise.all(names.map((name) => readFile(join(program.logFolder, name), 'utf8')))).join('');
  };
  beforeEach(async () => {
    program = await writeJobProgram();
    lines.length = 0;
  });
  afterEach(async () => {
    await starter?.stop();
    await program.remove();
  });

  it('get exactly the environment they are given, and their ticket and attempt', async () => {
    process.env['PENSTOCK_CONTRACT_SECRET'] = 'leaked';
    try {
      const job = aJob();
      await open('obedient').start(job);
      expect((await firstReport())?.env).toEqual({
        ...program.environment,
        PENSTOCK_TICKET: job.ticket,
        PENSTOCK_ATTEMPT: 'local/r1234567/build/1',
      });
    } finally {
      delete process.env['PENSTOCK_CONTRACT_SECRET'];
    }
  });

  it('have their ticket in the environment only: in no argument, name of a file or log', async () => {
    const job = aJob();
    await open('obedient').start(job);
    const report = await firstReport();
    expect(report?.argv).toEqual(['obedient']);
    expect(report?.commandLine).not.toContain(job.ticket);
    await starter?.stop();
    expect(await jobLogs()).toContain('a line of the job');
    expect(`${await jobLogs()}${lines.join('')}${(await readdir(program.logFolder)).join()}`).not.toContain(
      'a-ticket-that-nobody',
    );
  });

  it('lead a process group of their own, so that Ctrl-C at the host does not reach them', async () => {
    await open('obedient').start(aJob());
    const report = await firstReport();
    expect(report?.group).toBe(report?.pid);
  });

  it('are asked by SIGTERM and end with their own words', async () => {
    await open('obedient', { graceMs: 60_000 }).start(aJob());
    await firstReport();
    await starter?.stop();
    expect(await jobLogs()).toContain('wrapping up');
    expect(lines).toEqual([]);
  });

  it('are killed after their grace and not before, with what they started', async () => {
    await open('stubborn').start(aJob());
    const child = (await firstReport())?.child ?? 0;
    expect(isAlive(child)).toBe(true);
    const start = Date.now();
    await starter?.stop();
    expect(Date.now() - start).toBeGreaterThanOrEqual(GRACE_MS - 2);
    expect(await jobLogs()).toContain('no\n');
    expect(await program.alive()).toEqual([]);
    await until(
      () => isAlive(child),
      (alive) => !alive,
    );
    expect(lines.join('')).toContain('SIGKILL');
  });

  it('are all waited for by stop, those included that are being cancelled', async () => {
    const all = open('stubborn');
    await all.start(aJob({ task: 'a' }));
    await all.start(aJob({ task: 'b' }));
    await until(program.alive, (alive) => alive.length === 2);
    await all.cancel(aJob({ task: 'a' }));
    await all.stop();
    expect(await program.alive()).toEqual([]);
    await expect(all.stop()).resolves.toBeUndefined();
  });

  it('whose program does not exist are logged, take no room, and do not crash or hang the host', async () => {
    const broken = open('brief', { command: [join(program.folder, 'no-such-program')], maxJobs: 1 });
    expect(await broken.start(aJob({ task: 'a' }))).toBe('started');
    await until(
      () => lines.length,
      (count) => count === 1,
    );
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      severity: 'ERROR',
      run: 'r1234567',
      task: 'a',
      message: expect.stringMatching(/did not start.*ENOENT/),
    });
    expect(await broken.start(aJob({ task: 'b' }))).toBe('started');
    await broken.cancel(aJob({ task: 'b' }));
    await broken.stop();
  });

  it('that end badly are named in the log', async () => {
    const file = join(program.folder, 'fails.mjs');
    await writeFile(file, 'process.exit(3)');
    await open('brief', { command: [process.execPath, file] }).start(aJob());
    await until(
      () => lines.length,
      (count) => count === 1,
    );
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      severity: 'WARNING',
      run: 'r1234567',
      task: 'build',
      message: expect.stringContaining('exit code 3'),
    });
  });

  it('survive a SIGKILL of the process that started them, and can still write', async () => {
    const host = await startHostOfJob(program);
    const report = await firstReport();
    process.kill(host, 'SIGKILL');
    await until(
      () => isAlive(host),
      (alive) => !alive,
    );
    expect(isAlive(report?.pid ?? 0)).toBe(true);
    process.kill(report?.pid ?? 0, 'SIGTERM');
    await until(jobLogs, (text) => text.includes('wrapping up'));
  });
});

/** Another process that starts one job, as the platform's host would. */
async function startHostOfJob({ environment, logFolder, folder, command }: JobProgram): Promise<number> {
  const adapters = (name: string) =>
    fileURLToPath(new URL(`../../../../shared/adapters/local/${name}.ts`, import.meta.url));
  const config = { command: command('obedient'), environment, logFolder, maxJobs: 1, graceMs: GRACE_MS };
  const file = join(folder, 'host.mjs');
  await writeFile(
    file,
    `import { createProcessJobStarter } from ${JSON.stringify(adapters('process-job-starter'))};
import { createPinoLog } from ${JSON.stringify(adapters('pino-log'))};
const starter = createProcessJobStarter({ ...${JSON.stringify(config)}, log: createPinoLog({ level: 'SILENT' }) });
await starter.start(${JSON.stringify(aJob())});
setInterval(() => {}, 1000);`,
  );
  const host = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file], { stdio: 'ignore' });
  if (host.pid === undefined) throw new Error('the host did not start');
  return host.pid;
}
