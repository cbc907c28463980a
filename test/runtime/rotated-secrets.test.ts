import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { webhooks } from '../../functions/webhooks/webhooks.ts';
import type { ModelRequest } from '../../shared/ports/model.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { createGoogleRuntime } from '../../shared/runtime/google.ts';
import { readGoogleConfig } from '../../shared/runtime/google-config.ts';
import { type SecretsStandIn, startSecretsStandIn } from '../support/google/secrets-stand-in.ts';
import { portOf } from '../support/port-of.ts';
import { openHttpDoor, openRuntime } from './function-door.ts';
import { deliver } from './signed-webhook.ts';

/** As the port promises. */
const FIVE_MINUTES_MS = 300_000;
const secretOf = (name: string): string => `projects/p/secrets/${name}`;
const latest = (name: string): string => `${secretOf(name)}/versions/latest`;
const keyPair = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
const request: ModelRequest = {
  model: 'claude-sonnet-5-5',
  system: 'You count.',
  turns: [{ role: 'user', blocks: [{ type: 'text', text: 'One.' }] }],
  tools: [],
  maxOutputTokens: 10,
  timeoutMs: 5_000,
};

describe('A secret that is rotated while a function runs, named by its latest version', () => {
  let google: SecretsStandIn;
  /** Whoever is asked with a key: it counts three tokens, and gives no App a token. */
  let outside: Server;
  /** The keys that it was asked with. */
  let shown: string[];
  let runtime: Runtime;
  let aheadMs: number;
  const realNow = Date.now;

  beforeEach(async () => {
    google = await startSecretsStandIn();
    shown = [];
    outside = createServer(({ headers }, response) => {
      shown.push(String(headers['x-api-key'] ?? headers.authorization).replace(/^bearer /i, ''));
      const status =
        headers['x-api-key'] === undefined && headers['anthropic-version'] === undefined ? 401 : 200;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ input_tokens: 3, message: 'no such App' }));
    }).listen(0, '127.0.0.1');
    await once(outside, 'listening');
    aheadMs = 0;
    Date.now = () => realNow() + aheadMs;
  });
  afterEach(async () => {
    Date.now = realNow;
    await runtime.close();
    await google.stop();
    outside.close();
    outside.closeAllConnections();
  });

  /** Nothing here asks Firestore or Pub/Sub, whose emulators only have to answer at their ports. */
  async function start(env: Record<string, string>): Promise<void> {
    const url = `http://127.0.0.1:${portOf(outside)}`;
    runtime = await createGoogleRuntime(
      readGoogleConfig({
        GOOGLE_CLOUD_PROJECT: 'acme',
        PENSTOCK_REGION: 'europe-west1',
        PENSTOCK_BUCKET: 'bucket',
        PENSTOCK_JOB: 'job',
        PENSTOCK_JOB_HIGH: 'job-high',
        PENSTOCK_PUBLIC_URL: url,
        PENSTOCK_IDENTITY: 'local',
        PENSTOCK_SECRETS_URL: google.url,
        FIRESTORE_EMULATOR_HOST: new URL(url).host,
        PUBSUB_EMULATOR_HOST: new URL(url).host,
        ANTHROPIC_BASE_URL: url,
        GITHUB_API_URL: url,
        LOG_LEVEL: 'SILENT',
        ...env,
      }),
    );
  }

  it('of the model holds for its calls, and for those of jobs, within five minutes', async () => {
    google.add(secretOf('key'), 'sk-old');
    await start({ ANTHROPIC_API_KEY: latest('key') });
    const askBoth = async (): Promise<string[]> => {
      shown = [];
      await runtime.ports.model.countTokens(request);
      await runtime.gateway.countTokens({ model: request.model, messages: [] });
      return shown;
    };
    expect(await askBoth()).toEqual(['sk-old', 'sk-old']);
    google.add(secretOf('key'), 'sk-new');
    expect(await askBoth()).toEqual(['sk-old', 'sk-old']);
    aheadMs = FIVE_MINUTES_MS;
    expect(await askBoth()).toEqual(['sk-new', 'sk-new']);
  });

  it('of the App signs within five minutes what GitHub is asked with', async () => {
    const [old, next] = [keyPair(), keyPair()];
    google.add(secretOf('app'), old.privateKey);
    await start({ GITHUB_APP_ID: '7', GITHUB_PRIVATE_KEY: latest('app') });
    const signerOf = async (): Promise<string | undefined> => {
      shown = [];
      const repository = { host: 'github', repository: 'acme/todo', installationId: 11 } as const;
      await expect(runtime.ports.codeHost(repository).defaultBranch(repository)).rejects.toThrow();
      const [head = '', body = '', signature = ''] = shown[0]?.split('.') ?? [];
      const isOf = (key: string): boolean =>
        verify('RSA-SHA256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'));
      return Object.entries({ old, next }).find(([, { publicKey }]) => isOf(publicKey))?.[0];
    };
    expect(await signerOf()).toBe('old');
    google.add(secretOf('app'), next.privateKey);
    aheadMs = FIVE_MINUTES_MS;
    expect(await signerOf()).toBe('next');
  });

  it('of webhooks holds beside the previous one, until that is disabled', async () => {
    google.add(secretOf('hook'), 'the first secret');
    await start({
      GITHUB_WEBHOOK_SECRET: latest('hook'),
      GITHUB_WEBHOOK_SECRET_PREVIOUS: latest('hook-previous'),
    });
    const local = await openRuntime();
    const door = await openHttpDoor(webhooks, { ...local, webhookSecrets: runtime.webhookSecrets });
    const isLetIn = async (secret: string): Promise<boolean> => {
      const { status } = await deliver(door.url, { event: 'ping', payload: { zen: secret }, secret });
      expect([202, 401]).toContain(status);
      return status === 202;
    };
    try {
      expect([await isLetIn('the first secret'), await isLetIn('the second secret')]).toEqual([true, false]);
      const previous = google.add(secretOf('hook-previous'), 'the first secret');
      google.add(secretOf('hook'), 'the second secret');
      aheadMs += FIVE_MINUTES_MS;
      expect([await isLetIn('the first secret'), await isLetIn('the second secret')]).toEqual([true, true]);
      google.setState(previous, 'DISABLED');
      aheadMs += FIVE_MINUTES_MS;
      expect([await isLetIn('the first secret'), await isLetIn('the second secret')]).toEqual([false, true]);
    } finally {
      await door.close();
      await local.remove();
    }
  });
});
