import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createRequire } from 'node:module';
import { receiveWebhook } from '../../../../shared/core/intake/receive-webhook.ts';
import { refs } from '../../../../shared/core/refs.ts';
import type { Run } from '../../../../shared/core/run.ts';
import { startEngine, TENANT, type Engine } from '../../../support/engine.ts';
import { runOf } from '../../../support/records.ts';

type Json = Record<string, unknown>;
const HEAD = 'b'.repeat(40);
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
  name: string;
  examples: Json[];
}[];

/** A payload as GitHub recorded it, about the head of a branch of `acme/todo`. */
function about(event: string, { branch = 'penstock/run1', sha = HEAD, ...more }: Json = {}): Json {
  const recorded = examples
    .find(({ name }) => name === event)
    ?.examples.find(({ action }) => event === 'status' || action === 'completed');
  if (recorded === undefined) throw new Error(`no ${event} was recorded`);
  const head = { head_sha: sha, head_branch: branch };
  const part = recorded[event] as Json | undefined;
  const suite = { check_suite: { ...(part?.['check_suite'] as Json | undefined), ...head } };
  return {
    ...recorded,
    ...(event === 'status'
      ? { sha, state: 'success', branches: [{ name: branch, commit: { sha } }] }
      : { [event]: { ...part, ...head, ...(event === 'check_run' ? suite : {}) } }),
    repository: { ...(recorded['repository'] as Json), full_name: 'Acme/todo' },
    installation: { id: 5 },
    ...more,
  };
}

describe('an event about a commit', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());

  let deliveries = 0;
  async function send(event: string, payload: Json): Promise<string[]> {
    const rawBody = Buffer.from(JSON.stringify(payload));
    deliveries += 1;
    const webhook = { event, deliveryId: `d${deliveries}`, rawBody, payload };
    expect(await receiveWebhook(engine.ports, webhook)).toMatchObject({ outcome: 'recorded' });
    return engine.mail.splice(0).map(({ topic, message }) => `${topic} ${(message as { run: string }).run}`);
  }
  const store = (changes: Partial<Run> = {}) => {
    const [target] = runOf().targets;
    const github = { host: 'github' as const, repository: 'acme/todo', installationId: 5 };
    const run = runOf({
      stage: 'awaiting_review',
      heads: ['c'.repeat(40), HEAD],
      targets: [{ headBranch: '', ...target, ...github }],
      ...changes,
    });
    return engine.ports.store.create(refs.run(TENANT, run.id), run);
  };

  it.each(['check_run', 'check_suite', 'workflow_run', 'status'])(
    'has the run looked at again whose newest head it is (%s)',
    async (event) => {
      await store();
      expect(await send(event, about(event))).toEqual(['run-finished run1']);
    },
  );

  it.each<[string, string, Json]>([
    ['is about an older head', 'check_run', { sha: 'c'.repeat(40) }],
    ['is about a branch of somebody else', 'check_suite', { branch: 'main' }],
    ['names no run of ours', 'check_suite', { branch: 'penstock/nobody1' }],
    ['names what is no run', 'check_suite', { branch: 'penstock/../run1' }],
    ['names no branch', 'check_suite', { branch: null }],
    ['says that something has begun', 'check_run', { action: 'created' }],
    ['says that something is under way', 'status', { state: 'pending' }],
    ['comes from another repository', 'status', { repository: { full_name: 'rival/todo' } }],
    ['comes through no installation', 'status', { installation: undefined }],
  ])('starts nothing where it %s', async (_, event, change) => {
    await store();
    expect(await send(event, about(event, change))).toEqual([]);
  });

  it.each<Run['stage']>(['integrating', 'succeeded', 'cancelling'])(
    'starts nothing for a run that is %s',
    async (stage) => {
      await store({ stage });
      expect(await send('check_run', about('check_run'))).toEqual([]);
    },
  );
});
