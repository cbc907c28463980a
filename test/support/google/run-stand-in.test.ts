import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../contract/job-starter-contract.ts';
import { isAlive, type JobProgram, writeJobProgram } from '../../shared/adapters/local/job-program.ts';
import { type RunStandIn, type RunStandInOptions, startRunStandIn } from './run-stand-in.ts';

const JOB = 'projects/acme/locations/europe-west1/jobs/agent-job';
const RUN = `/v2/${JOB}:run`;

describe('the stand-in of Cloud Run', () => {
  let standIn: RunStandIn;
  let program: JobProgram | undefined;
  const open = async (options: Partial<RunStandInOptions> = {}): Promise<void> => {
    standIn = await startRunStandIn({ jobs: [JOB], ...options });
  };
  const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> => {
    const headers = { authorization: 'Bearer x', 'content-type': 'application/json' };
    const response = await fetch(`${standIn.url}${path}`, { headers, ...init });
    return { status: response.status, body: await response.json() };
  };
  const post = (path: string, body: unknown) =>
    ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  const env = (name: string, value: string) => ({
    overrides: { containerOverrides: [{ env: [{ name, value }] }] },
  });
  const error = (code: number, status: string, message: unknown) => ({
    status: code,
    body: { error: { code, status, message } },
  });
  afterEach(async () => {
    await standIn.stop();
    await program?.remove();
    program = undefined;
  });

  it('answers a run with an operation whose metadata is the execution, the variables merged', async () => {
    await open({ environment: { PENSTOCK_ATTEMPTS_URL: 'http://attempts', A: 'own' } });
    const { status, body } = await post(RUN, env('A', 'of the run'));
    const [execution] = standIn.executions();
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        name: expect.stringMatching(/^projects\/acme\/locations\/europe-west1\/operations\/./),
        metadata: {
          '@type': 'type.googleapis.com/google.cloud.run.v2.Execution',
          name: expect.stringMatching(/jobs\/agent-job\/executions\/agent-job-\w{5}$/),
          runningCount: 1,
          conditions: [{ type: 'Completed', state: 'CONDITION_RECONCILING' }, { type: 'Started' }],
        },
      },
    });
    expect(execution?.template.containers[0]?.env).toEqual([
      { name: 'PENSTOCK_ATTEMPTS_URL', value: 'http://attempts' },
      { name: 'A', value: 'of the run' },
    ]);
    expect(await ask(`/v2/${execution?.name}`)).toEqual({ status: 200, body: execution });
  });

  it('refuses what Cloud Run would refuse, with its error JSON, and starts nothing', async () => {
    await open();
    const unknownField = { overrides: { containerOverrides: [{ environment: [] }] } };
    expect(await post(RUN, unknownField)).toEqual(
      error(
        400,
        'INVALID_ARGUMENT',
        expect.stringContaining(`"environment" at 'overrides.containerOverrides[0]'`),
      ),
    );
    expect(await post(RUN, '{')).toEqual(
      error(400, 'INVALID_ARGUMENT', expect.stringContaining('Invalid JSON')),
    );
    expect(await post(RUN, env('', 'x'))).toMatchObject({ status: 400 });
    expect(await ask(RUN, { method: 'POST', body: '{}', headers: {} })).toEqual(
      error(401, 'UNAUTHENTICATED', expect.any(String)),
    );
    expect(await post(RUN.replace('agent-job', 'other'), {})).toEqual(
      error(404, 'NOT_FOUND', expect.stringContaining('other')),
    );
    expect(await ask(`/v2/${JOB}/executions?limit=3`)).toEqual(
      error(400, 'INVALID_ARGUMENT', expect.stringContaining('"limit"')),
    );
    expect(await ask(`/v2/${JOB}/executions?pageToken=guess`)).toMatchObject({ status: 400 });
    expect(standIn.executions()).toEqual([]);
  });

  it('pages its lists, newest first, and never more than it wants to', async () => {
    await open({ maxPageSize: 2 });
    for (const value of ['1', '2', '3']) await post(RUN, env('N', value));
    const first = (await ask(`/v2/${JOB}/executions?pageSize=50`)).body as {
      executions: object[];
      nextPageToken: string;
    };
    const second = await ask(`/v2/${JOB}/executions?pageSize=50&pageToken=${first.nextPageToken}`);
    expect(first.executions).toEqual(standIn.executions().slice(0, 2));
    expect(second.body).toEqual({ executions: standIn.executions().slice(2) });
  });

  it.each([
    [0, { succeededCount: 1 }, { state: 'CONDITION_SUCCEEDED' }],
    [3, { failedCount: 1 }, { state: 'CONDITION_FAILED', executionReason: 'NON_ZERO_EXIT_CODE' }],
  ])('runs a process per execution, and tells how it ended (%i)', async (exitCode, counted, condition) => {
    await open({ command: [process.execPath, '-e', `process.exit(${exitCode})`] });
    await post(RUN, {});
    const [ended] = await until(
      () => standIn.executions(),
      ([one]) => one?.completionTime !== undefined,
    );
    expect(ended).toMatchObject(counted);
    expect(ended).not.toHaveProperty('runningCount');
    expect(ended?.conditions[0]).toMatchObject({ type: 'Completed', ...condition });
  });

  it('stops a cancelled container with all that it left behind, SIGTERM first, SIGKILL after the grace', async () => {
    program = await writeJobProgram();
    await open({ command: program.command('stubborn'), environment: program.environment, graceMs: 200 });
    await post(RUN, {});
    const [report] = await until(program.reports, (all) => all.length === 1);
    const name = standIn.executions()[0]?.name;
    await post(`/v2/${name}:cancel`, {});
    expect(standIn.executions()[0]?.conditions[0]).toMatchObject({ executionReason: 'CANCELLING' });
    expect(isAlive(report?.pid ?? 0)).toBe(true);
    await until(
      () => standIn.executions(),
      ([one]) => one?.cancelledCount === 1,
    );
    await until(
      () => [report?.pid ?? 0, report?.child ?? 0].filter(isAlive),
      (alive) => alive.length === 0,
    );
    expect(await post(`/v2/${name}:cancel`, {})).toEqual(
      error(400, 'FAILED_PRECONDITION', expect.stringContaining('completed')),
    );
  });

  it('leaves no container behind when its process ends', async () => {
    program = await writeJobProgram();
    await open();
    const host = join(program.folder, 'host.mjs');
    const options = { jobs: [JOB], command: program.command('stubborn'), environment: program.environment };
    await writeFile(host, hostProgram(options));
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', host], {
      stdio: 'ignore',
    });
    const exit = new Promise((resolve) => child.once('exit', resolve));
    const [report] = await until(program.reports, (all) => all.length === 1);
    await writeFile(join(program.folder, 'go'), '');
    expect(await exit).toBe(7);
    await until(
      () => [report?.pid ?? 0, report?.child ?? 0].filter(isAlive),
      (alive) => alive.length === 0,
    );
  });
});

/** Starts one execution, and ends by itself when it is told. */
function hostProgram(options: RunStandInOptions): string {
  const module = fileURLToPath(new URL('./run-stand-in.ts', import.meta.url));
  return `import { existsSync } from 'node:fs';
import { startRunStandIn } from ${JSON.stringify(module)};
const standIn = await startRunStandIn(${JSON.stringify(options)});
const headers = { authorization: 'Bearer x' };
await fetch(standIn.url + ${JSON.stringify(RUN)}, { method: 'POST', headers, body: '{}' });
setInterval(() => existsSync(new URL('./go', import.meta.url)) && process.exit(7), 20);`;
}
