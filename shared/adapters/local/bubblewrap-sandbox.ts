import { lstat, readlink, realpath } from 'node:fs/promises';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Sandbox, SandboxCommand } from '../../ports/sandbox.ts';
import { runProcess, type ProcessResult } from './run-process.ts';
import {
  checkCommand,
  environmentOf,
  nodeFolder,
  toSandboxResult,
  type SandboxConfig,
} from './sandbox-command.ts';

export interface BubblewrapConfig extends SandboxConfig {
  /** @default 'bwrap' */
  program?: string;
}

const HOME = '/home/agent';
const TMP = '/tmp';
/** Temporary file systems are memory: in a container they count against its limit. */
const TMPFS_BYTES = 256 * 1024 * 1024;
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** What programs need to start and to check certificates; nothing that names users, hosts or services. */
const ETC = [
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/alternatives',
  '/etc/ca-certificates',
  '/etc/ssl/certs',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/certs',
  '/etc/localtime',
  '/etc/mime.types',
];
/** Exit code and text with which bubblewrap says that it could not even set up. */
const SETUP_FAILED = /^bwrap: /;
const HOST_ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin' };

/**
 * Confinement by Linux namespaces: the machine's programs read-only, its own home, /tmp, processes and network, no
 * capabilities, and of everything else only what the command may read or write.
 */
export function createBubblewrapSandbox(config: BubblewrapConfig = {}): Sandbox {
  const program = config.program ?? 'bwrap';
  let known: Promise<string[]> | undefined;
  return {
    kind: 'bubblewrap',
    async run(command) {
      checkCommand(command);
      known ??= machineOptions(program);
      const options = [...(await known), ...(await commandOptions(config, command))];
      const result = await runProcess({
        argv: [program, '--args', '3', '--', ...command.argv],
        cwd: '/',
        env: HOST_ENVIRONMENT,
        // The options go through a pipe, because arguments can be read by every user of the machine.
        inputs: [options.map((option) => `${option}\0`).join(''), passwd(), group()],
        ...(command.stdin === undefined ? {} : { stdin: command.stdin }),
        timeoutMs: command.timeoutMs,
        maxOutputBytes: command.maxOutputBytes,
        ...(command.signal === undefined ? {} : { signal: command.signal }),
      });
      throwIfNotSetUp(result);
      return toSandboxResult(result);
    },
  };
}

function throwIfNotSetUp(result: ProcessResult): void {
  const complaint = result.stderr.text();
  if (result.exitCode !== 1 || !SETUP_FAILED.test(complaint) || result.stdout.bytes().length > 0) return;
  const message = `bubblewrap could not start the command: ${complaint.trim().slice(0, 500)}; check the folders it names`;
  throw new PenstockError('invalid', message);
}

/** What is the same for every command: namespaces, the system's programs, devices. */
async function machineOptions(program: string): Promise<string[]> {
  const links = await Promise.all(SYSTEM_FOLDERS.map(systemFolder));
  return [
    '--unshare-user',
    '--unshare-all',
    '--die-with-parent',
    '--new-session',
    '--clearenv',
    '--cap-drop',
    'ALL',
    '--hostname',
    'sandbox',
    ...((await canDisableUserNamespaces(program)) ? ['--disable-userns'] : []),
    '--ro-bind',
    '/usr',
    '/usr',
    ...links.flat(),
    ...ETC.flatMap((path) => ['--ro-bind-try', path, path]),
    '--ro-bind-data',
    '4',
    '/etc/passwd',
    '--ro-bind-data',
    '5',
    '/etc/group',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...[TMP, HOME, '/dev/shm'].flatMap((path) => ['--size', String(TMPFS_BYTES), '--tmpfs', path]),
  ];
}

/** Since 0.8; without it a command could gain capabilities inside a user namespace of its own, but reach nothing more. */
async function canDisableUserNamespaces(program: string): Promise<boolean> {
  const limits = { timeoutMs: 5_000, maxOutputBytes: 64 * 1024 };
  const help = await runProcess({ argv: [program, '--help'], cwd: '/', env: HOST_ENVIRONMENT, ...limits });
  return help.stdout.text().includes('--disable-userns');
}

/** `/bin` and its like are links into `/usr` on most systems, folders on others. */
async function systemFolder(path: string): Promise<string[]> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return [];
  return stats.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
}

async function commandOptions(config: SandboxConfig, command: SandboxCommand): Promise<string[]> {
  const readable = [...new Set([nodeFolder, ...(config.readable ?? []), ...(command.readable ?? [])])];
  const environment = environmentOf(config, command, { home: HOME, tmp: TMP });
  return [
    ...(command.network === 'setup' ? await hostNetwork() : []),
    ...readable.flatMap((path) => ['--ro-bind', path, path]),
    ...command.writable.flatMap((path) => ['--bind', path, path]),
    // Last: bubblewrap makes the mount points on them.
    '--remount-ro',
    '/dev',
    '--remount-ro',
    '/',
    '--chdir',
    command.cwd,
    ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]),
  ];
}

async function hostNetwork(): Promise<string[]> {
  // Usually a link to a folder that is not there inside.
  const resolver = await realpath('/etc/resolv.conf').catch(() => undefined);
  const names = resolver === undefined ? [] : ['--ro-bind', resolver, '/etc/resolv.conf'];
  return [
    '--share-net',
    ...names,
    '--ro-bind-try',
    '/etc/nsswitch.conf',
    '/etc/nsswitch.conf',
    '--ro-bind-try',
    '/etc/hosts',
    '/etc/hosts',
  ];
}

function passwd(): string {
  const [uid, gid] = [process.getuid?.() ?? 1000, process.getgid?.() ?? 1000];
  return `agent:x:${uid}:${gid}:agent:${HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`;
}

function group(): string {
  return `agent:x:${process.getgid?.() ?? 1000}:\nnogroup:x:65534:\n`;
}
