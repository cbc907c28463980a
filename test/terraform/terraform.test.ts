import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SUBSCRIPTIONS } from '../../shared/runtime/subscriptions.ts';
import { group } from '../support/groups.ts';
import { readLocal } from '../support/read-hcl.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env['PENSTOCK_TERRAFORM'] ?? 'terraform';
const run = promisify(execFile);
const TIMEOUT_MS = 600_000;
/** Its provider makes nothing anywhere; with any other, an apply would be one. */
const isStub = process.env['PENSTOCK_TERRAFORM_STUB'] === '1';
if (!isStub)
  process.stderr.write(
    'skipped: apply and destroy (PENSTOCK_TERRAFORM_STUB=1 says that the provider of PENSTOCK_TERRAFORM makes nothing)\n',
  );

interface Push {
  push_endpoint: string;
  oidc_token: { audience: string }[];
}

/** Where messages go, of everything in a state as `show -json` writes it. */
function pushesIn(state: unknown): Push[] {
  if (typeof state !== 'object' || state === null) return [];
  return Object.entries(state).flatMap(([name, value]) => {
    if (name === 'sensitive_values') return [];
    return name === 'push_config' ? (value as Push[]) : pushesIn(value);
  });
}

/** Two cores and others beside it: these are minutes of another program's work. */
group('terraform')('the Terraform configuration', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'penstock-terraform-'));
    const names = Object.keys(readLocal(join(root, 'terraform/functions.tf'), 'function_settings') as object);
    for (const name of names) writeFileSync(join(folder, `${name}.zip`), name);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function terraform(...args: string[]): Promise<string> {
    const env = {
      ...process.env,
      NO_COLOR: '1',
      TF_VAR_archives: folder,
      TF_DATA_DIR: join(folder, 'data'),
    };
    const options = { cwd: root, env, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await run(program, ['-chdir=terraform', ...args, '-no-color'], options).catch(
      (error: unknown) => {
        const { stdout: said = '', stderr = '' } = error as { stdout?: string; stderr?: string };
        throw new Error(`terraform ${args.join(' ')} failed:\n${said}${stderr}`);
      },
    );
    return stdout;
  }

  it('is formatted', async () => {
    await terraform('fmt', '-check', '-recursive');
  });

  it(
    'is valid, refuses what is wrong, and plans what is right',
    async () => {
      await terraform('init', '-backend=false', '-input=false');
      expect(await terraform('validate')).toContain('The configuration is valid');
      expect(await terraform('test')).toMatch(/Success! 10 passed, 0 failed/);
    },
    TIMEOUT_MS,
  );

  it.each(isStub ? ['staging', 'prod'] : ['dev', 'staging', 'prod'])(
    'plans what ships as an example for %s',
    async (name) => {
      const args = ['-test-directory=tests/environments', `-var-file=environments/${name}.tfvars`];
      expect(await terraform('test', ...args)).toContain('Success! 1 passed, 0 failed');
    },
    TIMEOUT_MS,
  );

  // A smoke check: it shows that nothing hangs on an order or changes from run to run, not that Google would take it.
  (isStub ? it : it.skip)(
    'makes dev on a stub of Google, then has nothing left to do, and takes it away again',
    async () => {
      const image = `europe-west1-docker.pkg.dev/acme-penstock/penstock/agent-job@sha256:${'a'.repeat(64)}`;
      const dev = [
        '-input=false',
        '-var-file=environments/dev.tfvars',
        '-var=project_id=acme-penstock',
        '-var=region=europe-west1',
        `-var=agent_image=${image}`,
      ];
      expect(await terraform('apply', '-auto-approve', ...dev)).toMatch(
        /Apply complete! Resources: [1-9]\d\d added, 0 changed, 0 destroyed\./,
      );
      // The functions framework reads the topic from the path, and Cloud Run checks the audience.
      const pushes = pushesIn(JSON.parse(await terraform('show', '-json')));
      expect(pushes).toHaveLength(SUBSCRIPTIONS.length);
      for (const { push_endpoint: endpoint, oidc_token: tokens } of pushes) {
        expect(endpoint).toMatch(/^https:\/\/[^/]+\/projects\/acme-penstock\/topics\/[a-z-]+$/);
        expect(tokens.map(({ audience }) => audience)).toEqual([new URL(endpoint).origin]);
      }
      expect(await terraform('plan', '-detailed-exitcode', ...dev)).toContain('No changes.');
      expect(await terraform('destroy', '-auto-approve', '-refresh=false', ...dev)).toMatch(
        /Destroy complete! Resources: [1-9]\d\d destroyed\./,
      );
    },
    TIMEOUT_MS,
  );
});
