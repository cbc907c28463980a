import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimJob } from '../../../shared/core/claim-task.ts';
import { sweep } from '../../../shared/core/sweep.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type Engine, startEngine } from '../../support/engine.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';

let engine: Engine;
let sample: SampleRepository;
beforeEach(async () => {
  sample = createSampleRepository({ 'src/api.ts': 'x\n' });
  engine = await startEngine();
});
afterEach(async () => {
  await engine.close();
  sample.remove();
});

async function dispatchOne(): Promise<string> {
  const plan = [{ id: 'api', agent: 'backend_developer', instructions: 'Do it.', dependencies: [] }];
  const target = { host: 'local-git' as const, repository: sample.folder };
  const { id } = await engine.submit({ plan, target });
  await engine.drain();
  return id;
}
const apiOf = async (run: string) => (await engine.tasks(run)).find(({ id }) => id === 'api');

const MINUTE_MS = 60_000;
const ticket = () => engine.jobs.starts.at(-1)?.ticket ?? '';

describe('A job of which nobody knows whether it started', () => {
  beforeEach(() => {
    engine.jobs.next = new PenstockError('unavailable', 'Cloud Run is away', { retry: 'later' });
  });

  it('may claim its attempt for a minute', async () => {
    const run = await dispatchOne();
    engine.clock.advance(MINUTE_MS - 1);
    await sweep(engine.ports);
    expect(await claimJob(engine.ports, ticket())).toBeDefined();
    expect(await apiOf(run)).toMatchObject({ state: 'running', attempts: [{ generation: 1 }] });
  });

  it('is given up after it, and another is asked for', async () => {
    const run = await dispatchOne();
    const lost = ticket();
    engine.jobs.next = 'started';
    engine.clock.advance(MINUTE_MS + 1);
    await sweep(engine.ports);
    engine.clock.advance(MINUTE_MS);
    await sweep(engine.ports);
    await engine.drain();
    expect(await apiOf(run)).toMatchObject({
      state: 'starting',
      attempts: [{ generation: 1 }, { generation: 2 }],
    });
    expect(await claimJob(engine.ports, lost)).toBeUndefined();
    expect(await claimJob(engine.ports, ticket())).toBeDefined();
  });
});

describe('A job that nobody can start', () => {
  it('ends its run where asking again would not help', async () => {
    engine.jobs.next = new PenstockError(
      'config',
      'there is no Cloud Run job agents; apply the Terraform configuration',
    );
    const run = await dispatchOne();
    expect(await engine.run(run)).toMatchObject({ stage: 'failed', reason: { code: 'config' } });
  });
});
