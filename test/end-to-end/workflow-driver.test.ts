import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { refs } from '../../shared/core/refs.ts';
import { inProcess, type Platform, startPlatform, TENANT } from '../support/platform.ts';

const task = (id: string, dependencies: string[] = []) => ({
  id,
  title: id,
  agent: 'technical_writer',
  instructions: 'Nothing.',
  dependencies,
  acceptance: ['it is there'],
  scope: [],
});
const PLAN = { summary: 'the plan', tasks: [task('a'), task('b', ['a'])] };

interface Execution {
  name: string;
  state: string;
  result?: string;
  error?: { context: string };
}

inProcess(describe, 'the runner is for local mode')('a run that workflows/requirement.yaml drives', () => {
  let folder: string;
  let platform: Platform;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-driven-'));
    await start();
  });
  afterEach(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (): Promise<void> => {
    platform = await startPlatform({
      // The architect's own answer; every other task does nothing.
      work: async (open) => {
        const { attempt } = await open();
        if (attempt.brief.kind !== 'plan') return { outcome: 'succeeded', summary: 'done' };
        return { outcome: 'succeeded', summary: 'planned', output: JSON.stringify(PLAN) };
      },
      folder,
    });
  };
  const submit = async (more: { plan?: { tasks: object[] } } = {}): Promise<string> => {
    const body = { requirement: 'Do it.', driver: 'requirement', ...more };
    const answer = await platform.post('/api/requirements', body);
    return String(answer.body['runId']);
  };
  const until = async <T>(read: () => Promise<T | undefined>): Promise<T> => {
    for (let tries = 0; tries < 400; tries += 1) {
      const found = await read();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('it did not happen');
  };
  const executions = async (): Promise<Execution[]> => {
    const url = `${platform.url}/v1/projects/local/locations/local/workflows/requirement/executions?view=FULL`;
    return ((await (await fetch(url)).json()) as { executions: Execution[] }).executions;
  };
  const finished = () => until(async () => (await executions()).find(({ state }) => state !== 'ACTIVE'));

  it('is one execution, which ends with it and says how', async () => {
    const run = await submit({ plan: { tasks: PLAN.tasks } });
    expect(await platform.ended(run)).toMatchObject({
      stage: 'succeeded',
      driver: 'requirement',
      stageRequest: { stage: 'execute', seq: 2 },
    });
    const { state, result = '' } = await finished();
    expect([state, JSON.parse(result)]).toEqual(['SUCCEEDED', { run, stage: 'succeeded', reason: null }]);
    expect(await executions()).toHaveLength(1);
  });

  it('waits for a person where its tenant wants that, also through a restart, and goes on with the answer', async () => {
    const data = { v: 1 as const, decisions: { approve_plan: 'ask' as const } };
    await platform.ports.store.create(refs.settings(TENANT), data);
    const run = await submit();
    const decisionId = await until(async () => {
      const { decision, stageRequest, reason } = await platform.run(run);
      if (reason !== undefined) throw new Error(reason.message);
      return stageRequest?.stage === 'approve' ? decision : undefined;
    });
    expect((await platform.run(run)).stage).toBe('awaiting_approval');
    await platform.stop();
    await start();
    await platform.post('/api/decisions', { decisionId, option: 'approve' });
    expect(await platform.ended(run)).toMatchObject({ stage: 'succeeded', touches: 1 });
    expect((await finished()).state).toBe('SUCCEEDED');
  });

  it('is cancelled with its execution', async () => {
    const data = { v: 1 as const, decisions: { approve_plan: 'ask' as const } };
    await platform.ports.store.create(refs.settings(TENANT), data);
    const run = await submit();
    await until(async () => ((await platform.run(run)).stage === 'awaiting_approval' ? true : undefined));
    await platform.post(`/api/runs/${run}/cancel`, {});
    expect((await platform.ended(run)).stage).toBe('cancelled');
    expect((await finished()).state).toBe('CANCELLED');
  });
});
