import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCliConfig } from '../../../shared/runtime/cli-config.ts';
import { runPenstock } from '../../support/run-penstock.ts';

interface Doctor {
  ok: boolean;
  findings: { name: string; state: string; detail: string }[];
}

async function doctor(env: Record<string, string>) {
  const { code, stdout, stderr } = await runPenstock(['doctor', '--json'], {
    env: { PENSTOCK_SANDBOX: 'none', ...env },
  });
  const { ok, findings } = JSON.parse(stdout) as Doctor;
  const of = (name: string) => findings.find((finding) => finding.name === name);
  return { code, ok, of, text: stdout + stderr };
}

describe('penstock doctor', () => {
  it('says that a key is there and never which', async () => {
    const { of, text } = await doctor({ ANTHROPIC_API_KEY: 'sk-ant-secret-0123456789' });
    expect(of('model key')).toMatchObject({ state: 'ok', detail: 'ANTHROPIC_API_KEY is set' });
    expect(text).not.toContain('secret-0123456789');
  });

  it('names the demo where there is no key, and what follows from no sandbox', async () => {
    const { code, ok, of } = await doctor({});
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    expect(of('model key')?.detail).toContain('npm start');
    expect(of('sandbox')).toMatchObject({
      state: 'note',
      detail: expect.stringContaining('a live model gets no shell and no test runner'),
    });
    expect(of('node')?.detail).toContain(process.versions.node);
    expect(of('models')?.detail).toContain('none retired');
  });

  it.each([
    [undefined, 'any account are taken: where the App is public, name yours in PENSTOCK_GITHUB_ACCOUNTS'],
    ['acme, dana', 'acme, dana are taken'],
  ])(
    'says whose installations of the GitHub App are taken: PENSTOCK_GITHUB_ACCOUNTS is %s',
    async (accounts, says) => {
      const { of } = await doctor({
        GITHUB_APP_ID: '1',
        GITHUB_PRIVATE_KEY: 'hush',
        GITHUB_WEBHOOK_SECRET: 'hush',
        ...(accounts === undefined ? {} : { PENSTOCK_GITHUB_ACCOUNTS: accounts }),
      });
      expect(of('GitHub App')).toMatchObject({
        state: 'ok',
        detail: `GITHUB_APP_ID, GITHUB_PRIVATE_KEY, GITHUB_WEBHOOK_SECRET are set; installations of ${says}`,
      });
    },
  );

  it('finds half a GitHub App', async () => {
    const { code, of } = await doctor({ GITHUB_APP_ID: '1', GITHUB_WEBHOOK_SECRET: 'hush' });
    expect(code).toBe(1);
    expect(of('GitHub App')).toMatchObject({
      state: 'wrong',
      detail: 'not complete: GITHUB_PRIVATE_KEY missing',
    });
  });

  it('finds a data folder that cannot be there, and a server that does not answer', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-doctor-'));
    writeFileSync(join(folder, 'file'), '');
    try {
      const { code, of } = await doctor({
        PENSTOCK_DATA: join(folder, 'file', 'below'),
        PENSTOCK_URL: 'http://127.0.0.1:9',
      });
      expect(code).toBe(1);
      expect(of('data folder')?.state).toBe('wrong');
      expect(of('server')).toMatchObject({
        state: 'wrong',
        detail: expect.stringContaining('nothing answers at http://127.0.0.1:9'),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the environment of penstock', () => {
  it.each([
    ['PENSTOCK_URL', 'localhost', 'PENSTOCK_URL is "localhost" and takes an http or https URL'],
    ['PENSTOCK_MODEL', 'gpt', 'PENSTOCK_MODEL is "gpt" and takes anthropic or script:FILE'],
    ['PENSTOCK_SANDBOX', 'docker', 'PENSTOCK_SANDBOX is "docker" and takes auto, bubblewrap or none'],
    ['PENSTOCK_UNSAFE_NO_SANDBOX', 'yes', 'PENSTOCK_UNSAFE_NO_SANDBOX is "yes" and takes 1 or 0'],
  ])('is checked: %s', async (name, value, text) => {
    const { code, stderr } = await runPenstock(['runs'], { env: { [name]: value } });
    expect({ code, stderr }).toEqual({ code: 2, stderr: `penstock: ${text}\n` });
  });

  it('takes a variable that is set to nothing for one that is not set', () => {
    const config = readCliConfig({ PENSTOCK_URL: '', ANTHROPIC_API_KEY: ' ', GITHUB_APP_ID: '' });
    expect(config).toMatchObject({
      dataFolder: '.penstock',
      sandbox: 'auto',
      hasAnthropicKey: false,
      githubApp: { set: [] },
    });
    expect(config.url).toBeUndefined();
  });

  it('holds no key', () => {
    const config = readCliConfig({
      ANTHROPIC_API_KEY: 'sk-secret',
      GITHUB_PRIVATE_KEY: 'sk-secret',
    });
    expect(JSON.stringify(config)).not.toContain('sk-secret');
  });
});
