import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { group } from './groups.ts';

const PROGRAM = fileURLToPath(new URL('emulators-main.ts', import.meta.url));

group('emulators')('npm run emulators', () => {
  let child: ChildProcess;
  let exports: Record<string, string>;

  beforeAll(async () => {
    const { GOOGLE_CLOUD_PROJECT: _none, ...env } = process.env;
    child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    exports = await readExports(child);
  }, 300_000);
  afterAll(() => {
    child.kill('SIGKILL');
  });

  it('prints the environment in which both are found', async () => {
    expect(exports).toEqual({
      FIRESTORE_EMULATOR_HOST: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      PUBSUB_EMULATOR_HOST: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      METADATA_SERVER_DETECTION: 'none',
      GOOGLE_CLOUD_PROJECT: 'penstock-local',
    });
    expect(await answers(exports)).toEqual([true, true]);
  });

  it('ends with both at Ctrl-C', async () => {
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(await answers(exports)).toEqual([false, false]);
  });

  it('says in one sentence what to install where Java is missing', async () => {
    const failure = await new Promise<{ code: unknown; text: string }>((resolve) => {
      const env = { ...process.env, PATH: '/nonexistent' };
      execFile(process.execPath, [PROGRAM], { env }, (error, stdout, stderr) =>
        resolve({ code: error?.code, text: stdout + stderr }),
      );
    });
    expect(failure.code).toBe(1);
    expect(failure.text).toMatch(
      /^emulators: java .*gcloud components install cloud-firestore-emulator pubsub-emulator\n$/,
    );
  });
});

async function readExports({ stdout }: ChildProcess): Promise<Record<string, string>> {
  let text = '';
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    const lines = text.split('\n').slice(0, -1);
    if (lines.length === 4)
      return Object.fromEntries(lines.map((line) => line.replace('export ', '').split('=')));
  }
  throw new Error(`ended after ${JSON.stringify(text)}`);
}

async function answers(exports: Record<string, string>): Promise<boolean[]> {
  const hosts = [exports['FIRESTORE_EMULATOR_HOST'], exports['PUBSUB_EMULATOR_HOST']];
  return Promise.all(
    hosts.map((host) =>
      fetch(`http://${host}/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    ),
  );
}
