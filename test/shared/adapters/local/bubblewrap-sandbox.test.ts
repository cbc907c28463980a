import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBubblewrapSandbox } from '../../../../shared/adapters/local/bubblewrap-sandbox.ts';
import type { SandboxCommand } from '../../../../shared/ports/sandbox.ts';
import { sandboxContract } from '../../../contract/sandbox-contract.ts';
import { group } from '../../../support/groups.ts';
import { portOf } from '../../../support/port-of.ts';

group('bubblewrap')('the bubblewrap sandbox', () => {
  sandboxContract(() => createBubblewrapSandbox());

  let root: string;
  let folder: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'penstock-bwrap-'));
    folder = join(root, 'workspace', 'app');
    await mkdir(folder, { recursive: true });
    await mkdir(join(root, 'workspace', 'other'));
    await writeFile(join(root, 'workspace', 'other', 'secret'), 'of another workspace');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const shell = (script: string, change: Partial<SandboxCommand> = {}) =>
    createBubblewrapSandbox().run({
      argv: ['sh', '-c', script],
      cwd: folder,
      writable: [folder],
      network: 'none',
      timeoutMs: 10_000,
      maxOutputBytes: 20_000,
      ...change,
    });

  it('hides the home of the user', async () => {
    expect((await readdir(homedir())).length).toBeGreaterThan(0);
    const result = await shell(`ls -A ${homedir()} ~ /home; cat ${homedir()}/.bashrc`);
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout).toContain('/home:\nagent\n');
    for (const entry of await readdir(homedir())) expect(result.stdout.split('\n')).not.toContain(entry);
  });

  it('hides the environment of the platform, also through /proc', async () => {
    process.env['PENSTOCK_BWRAP_SECRET'] = 'leaked-value';
    try {
      const result = await shell(
        'env; cat /proc/*/environ /proc/self/environ /proc/1/cmdline | tr "\\0" "\\n"',
      );
      expect(result.stdout).toContain('HOME=/home/agent');
      expect(result.stdout).not.toContain('leaked-value');
      expect(result.stdout).not.toContain('workspace/other');
    } finally {
      delete process.env['PENSTOCK_BWRAP_SECRET'];
    }
  });

  it('sees no process but its own', async () => {
    const result = await shell('ls /proc | grep -E "^[0-9]+$" | wc -l; cat /proc/*/comm');
    const [count = '', ...names] = result.stdout.trim().split('\n');
    expect(Number(count)).toBeLessThan(8);
    expect(names).toContain('bwrap');
    expect(names).not.toContain('node');
    expect((await shell(`kill -0 ${process.pid}`)).exitCode).not.toBe(0);
  });

  it('has no way out of its folder: neighbours and parents are not there', async () => {
    const result = await shell('ls ..; ls ../..; cat ../other/secret');
    expect(result.stdout.trim().split('\n').slice(0, 2)).toEqual(['app', 'workspace']);
    expect(result.stdout).not.toContain('another');
    expect(result.exitCode).not.toBe(0);
  });

  it('reads no file of the machine that names users, hosts or secrets', async () => {
    const result = await shell(
      'cat /etc/passwd; ls /etc/shadow /etc/hosts /root/.ssh /var /run /opt /srv /etc/gitconfig',
    );
    expect(result.stdout.split('\n').filter((line) => line !== '')).toHaveLength(2);
    expect(result.stdout).toContain('agent:x:');
  });

  it('writes nowhere outside what is writable', async () => {
    const places = ['/', '/usr', '/usr/bin', '/etc', '/home', '/dev'];
    for (const place of places) {
      const result = await shell(`echo x > ${place}/penstock-escape`);
      expect({ place, failed: result.exitCode !== 0 }).toEqual({ place, failed: true });
    }
    // What lies above the folder is the sandbox's own /tmp: writing there reaches nobody.
    await shell('echo x > ../penstock-escape; echo x > ../../penstock-escape');
    expect((await readdir(join(root, 'workspace'))).toSorted()).toEqual(['app', 'other']);
    expect(await readdir(root)).toEqual(['workspace']);
    expect((await shell('echo x > /tmp/a && echo y > ~/b && cat /tmp/a ~/b')).stdout).toBe('x\ny\n');
  });

  it('writes to each writable folder and only reads what is readable', async () => {
    const other = join(root, 'workspace', 'other');
    const readable = await shell(`cat ${other}/secret; echo x > ${other}/new`, { readable: [other] });
    expect(readable.stdout).toBe('of another workspace');
    expect(readable.stderr).toContain('Read-only file system');
    expect(
      (await shell(`echo x > ${other}/new && cat ${other}/new`, { writable: [folder, other] })).stdout,
    ).toBe('x\n');
  });

  it('has no capability and cannot get one', async () => {
    const result = await shell('grep CapEff /proc/self/status; unshare -U true; mount -t tmpfs x /tmp');
    expect(result.stdout).toMatch(/^CapEff:\s+0{16}$/m);
    expect(result.exitCode).not.toBe(0);
  });

  it('limits what its temporary folders hold', async () => {
    const result = await shell('head -c 300000000 /dev/zero > /tmp/big');
    expect(result.stderr).toContain('No space left');
  });

  it('kills even what left its process group and its session', async () => {
    const result = await shell(
      'setsid sh -c "while true; do echo x >> beat; sleep 0.05; done" >/dev/null 2>&1 & sleep 0.3; cat beat | head -1',
    );
    expect(result.stdout).toBe('x\n');
    const size = async () => (await shell('wc -c < beat')).stdout;
    const before = await size();
    expect(await size()).toBe(before);
  });

  it('reaches neither the metadata server nor a server of the machine', async () => {
    const { server, port } = await listen();
    try {
      expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(200);
      const loopback = await shell(`node -e "${script(`http://127.0.0.1:${port}`)}"`);
      expect(loopback.stdout).toBe('failed ECONNREFUSED\n');
      const metadata = await shell(`node -e "${script('http://169.254.169.254/computeMetadata/v1/')}"`);
      expect(metadata.stdout).toBe('failed ENETUNREACH\n');
      expect(
        (await shell(`node -e "${script(`http://127.0.0.1:${port}`)}"`, { network: 'setup' })).stdout,
      ).toBe('reached\n');
    } finally {
      server.close();
    }
  });
});

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: portOf(server) };
}

const script = (url: string): string =>
  `fetch('${url}').then(() => console.log('reached'), (e) => console.log('failed', e.cause?.code))`;
