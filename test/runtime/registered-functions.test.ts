import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { getFunction } from '@google-cloud/functions-framework/testing';
import { readdir } from 'node:fs/promises';
import { loadRuntime } from '../../shared/runtime/load-runtime.ts';
import { type Emulators, startEmulators } from '../support/emulators.ts';
import { group } from '../support/groups.ts';
import { createTopics } from '../support/create-topics.ts';
import { serve } from './function-door.ts';
import { pushMessage } from './push-message.ts';
import { deliver, SECRET } from './signed-webhook.ts';
import { topics, type Topic } from '../../shared/messages/topics.ts';

const HTTP = ['api', 'attempts', 'intake', 'stages', 'sweep', 'webhooks'];
const MESSAGES: Record<string, Topic> = {
  'agent-execution': 'task-dispatched',
  'dead-letters': 'dead-letter',
  decomposition: 'run-accepted',
  integration: 'run-finished',
  notification: 'notification-requested',
  'result-handling': 'task-finished',
};
const functionsFolder = new URL('../../functions/', import.meta.url);

const load = (name: string): Promise<unknown> => import(new URL(`${name}/index.ts`, functionsFolder).href);

describe('What can be deployed', () => {
  it('has a door for every topic', () => {
    expect(Object.values(MESSAGES).toSorted()).toEqual(Object.keys(topics).toSorted());
  });

  it('is registered under the name of its folder', async () => {
    const folders = await readdir(functionsFolder);
    const deployed: string[] = [];
    for (const name of folders)
      if ((await readdir(new URL(`${name}/`, functionsFolder))).includes('index.ts')) deployed.push(name);
    expect(deployed.toSorted()).toEqual([...HTTP, ...Object.keys(MESSAGES)].toSorted());
    for (const name of deployed) {
      await load(name);
      expect(getFunction(name)).toBeDefined();
    }
  });
});

const environment = {
  METADATA_SERVER_DETECTION: 'none',
  LOG_LEVEL: 'SILENT',
  GOOGLE_CLOUD_PROJECT: 'penstock-registered',
  GITHUB_WEBHOOK_SECRET: SECRET,
  PENSTOCK_REGION: 'europe-west1',
  PENSTOCK_BUCKET: 'penstock',
  PENSTOCK_JOB: 'agent-job',
  PENSTOCK_JOB_HIGH: 'agent-job-high',
  PENSTOCK_PUBLIC_URL: 'http://127.0.0.1:9',
  PENSTOCK_IDENTITY: 'local',
};

group('emulators')(
  'Every function as it is deployed: its index file, its environment, Google underneath',
  () => {
    const before = { ...process.env };
    let emulators: Emulators;
    beforeAll(async () => {
      emulators = await startEmulators();
      Object.assign(process.env, environment);
      await createTopics(emulators.pubsubHost, environment.GOOGLE_CLOUD_PROJECT);
      for (const name of [...HTTP, ...Object.keys(MESSAGES)]) await load(name);
    });
    afterAll(async () => {
      await (await loadRuntime()).close();
      process.env = before;
      await emulators.stop();
    });

    it('takes a signed webhook', async () => {
      const door = await serve('webhooks');
      expect(
        await deliver(door.url, { event: 'ping', payload: { zen: 'Keep it logically awesome.' } }),
      ).toMatchObject({ status: 202, body: { outcome: 'recorded' } });
      await door.close();
    });

    it('takes a requirement, which the API then shows', async () => {
      const [intake, api] = await Promise.all([serve('intake'), serve('api')]);
      const answer = await fetch(`${intake.url}/api/requirements`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"requirement":"Todos need a priority"}',
      });
      expect(answer.status).toBe(202);
      const { runId } = (await answer.json()) as { runId: string };
      const shown = await fetch(`${api.url}/api/runs/${runId}`);
      expect(await shown.json()).toMatchObject({ id: runId, stage: 'accepted' });
      await Promise.all([intake.close(), api.close()]);
    });

    it('refuses a claim without a ticket, and sweeps', async () => {
      const [attempts, sweep] = await Promise.all([serve('attempts'), serve('sweep')]);
      const post = (url: string) =>
        fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
      expect((await post(`${attempts.url}/internal/attempts/claim`)).status).toBe(400);
      expect((await post(`${sweep.url}/internal/sweep`)).status).toBe(200);
      await Promise.all([attempts.close(), sweep.close()]);
    });

    it.each(Object.entries(MESSAGES))('acknowledges a message it cannot read: %s', async (name, topic) => {
      const door = await serve(name);
      expect(await pushMessage(door.url, topic, {}, { raw: 'garbage', messageId: `to-${name}` })).toBe(204);
      await door.close();
    });
  },
);
