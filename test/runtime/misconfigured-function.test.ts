import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/cluster/free-ports.ts';
import { type FunctionProcess, functionProcess } from '../support/cluster/function-process.ts';
import { pushMessage } from './push-message.ts';

const COMPLETE = {
  PATH: process.env['PATH'] ?? '',
  METADATA_SERVER_DETECTION: 'none',
  GOOGLE_CLOUD_PROJECT: 'penstock-test',
  PENSTOCK_REGION: 'europe-west1',
  PENSTOCK_BUCKET: 'penstock',
  PENSTOCK_JOB: 'agent-job',
  PENSTOCK_JOB_HIGH: 'agent-job-high',
  PENSTOCK_PUBLIC_URL: 'http://127.0.0.1:8080',
  PENSTOCK_IDENTITY: 'local',
};

describe('A function whose environment is wrong', () => {
  let folder: string;
  let running: FunctionProcess | undefined;
  let logFile: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-misconfigured-'));
    logFile = join(folder, 'log');
  });
  afterEach(() => running?.kill());
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function start(name: string, signature: 'http' | 'cloudevent', env: Record<string, string>) {
    const [port = 0] = await freePorts(1);
    const source = fileURLToPath(new URL(`../../functions/${name}/index.ts`, import.meta.url));
    running = functionProcess({ name, source, signature, port, env, logFile });
    await running.start();
    return `http://127.0.0.1:${port}`;
  }

  it('acknowledges no message, however often it comes, and says why in its log', async () => {
    const { GOOGLE_CLOUD_PROJECT: _project, ...env } = COMPLETE;
    const url = await start('decomposition', 'cloudevent', env);
    const message = { v: 1, tenant: 'local', run: 'abcd1234' };
    expect(await pushMessage(url, 'run-accepted', message)).toBeGreaterThanOrEqual(500);
    expect(await pushMessage(url, 'run-accepted', message)).toBeGreaterThanOrEqual(500);
    expect(await readFile(logFile, 'utf8')).toContain(
      'settings are wrong: GOOGLE_CLOUD_PROJECT is not set: the id of your Google Cloud project',
    );
  });

  it.each([
    {
      what: 'an emulator that does not run',
      env: { FIRESTORE_EMULATOR_HOST: '127.0.0.1:9' },
      sentence:
        'FIRESTORE_EMULATOR_HOST names 127.0.0.1:9, where nothing answers: start it with npm run emulators, or unset FIRESTORE_EMULATOR_HOST',
    },
    {
      what: 'no credentials',
      env: { HOME: '/nonexistent' },
      sentence:
        'there are no Google credentials here: run "gcloud auth application-default login", or name a key file in GOOGLE_APPLICATION_CREDENTIALS',
    },
  ])('tells its caller in one sentence: $what', async ({ env, sentence }) => {
    const url = await start('api', 'http', { ...COMPLETE, ...env });
    const answer = await fetch(`${url}/api/runs`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.json()).toMatchObject({ detail: sentence });
  });
});
