import { redact } from '../../core/repository/scan-secrets.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { runGit, type GitOptions } from '../local/git-command.ts';
import { gitIn, type Workspace } from './workspace.ts';

export const CLONE_TIMEOUT_MS = 10 * 60_000;

export interface CloneAccess {
  url: string;
  /** A whole header value, and a secret: handed over by environment, never written to disk. */
  authorization?: string;
}

/** Servers without protocol 2, or without shallow fetches, answer with one of these. */
const NO_SHA_FETCH =
  /not our ref|unadvertised object|not allow request|does not support shallow|couldn't find remote ref/i;
const NOT_ALLOWED =
  /authentication failed|could not read username|invalid credentials|returned error: 40[13]/i;
const NOT_THERE =
  /repository .*not found|returned error: 404|does not appear to be a git repository|does not exist/i;

/** Brings one commit into the workspace's git folder: only that commit where the server allows it, otherwise all branches. */
export async function fetchCommit(
  workspace: Omit<Workspace, 'inputsTree'>,
  clone: CloneAccess,
  signal?: AbortSignal,
): Promise<void> {
  const options = fetchOptions(workspace, clone, signal);
  const common = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    '--no-write-fetch-head',
  ];
  const shallow = await runGit([...common, '--depth=1', clone.url, workspace.baseSha], options);
  if (shallow.exitCode === 0) return;
  if (!NO_SHA_FETCH.test(shallow.stderr)) throw fetchError(clone.url, shallow.stderr);

  const full = await runGit([...common, clone.url, '+refs/heads/*:refs/remotes/origin/*'], options);
  if (full.exitCode !== 0) throw fetchError(clone.url, full.stderr);
  const found = await runGit(['cat-file', '-e', `${workspace.baseSha}^{commit}`], {
    ...gitIn(workspace),
    answers: [1, 128],
  });
  if (found.exitCode === 0) return;
  const message = `commit ${workspace.baseSha} is on no branch of ${clone.url}; was the branch rewritten? Submit the requirement again`;
  throw new PenstockError('not_found', message);
}

function fetchOptions(
  workspace: Omit<Workspace, 'inputsTree'>,
  clone: CloneAccess,
  signal?: AbortSignal,
): GitOptions {
  const isWeb = /^https?:\/\//.test(clone.url);
  const header: Record<string, string> =
    clone.authorization === undefined || !isWeb
      ? {}
      : { [`http.${new URL(clone.url).origin}/.extraHeader`]: `Authorization: ${clone.authorization}` };
  return {
    // No redirect: the header must not travel to another host.
    ...gitIn(workspace, { ...header, 'http.followRedirects': 'false', 'protocol.version': '2' }),
    protocols: isWeb ? ['https', 'http'] : ['file'],
    timeoutMs: CLONE_TIMEOUT_MS,
    answers: [1, 128],
    ...(signal === undefined ? {} : { signal }),
  };
}

function fetchError(url: string, stderr: string): PenstockError {
  const words = redact(stderr.trim()).slice(0, 1_000);
  if (NOT_ALLOWED.test(stderr)) {
    return new PenstockError(
      'unauthenticated',
      `${url} refused to be cloned: ${words}; check the installation's access`,
    );
  }
  if (NOT_THERE.test(stderr))
    return new PenstockError('not_found', `there is no repository at ${url}: ${words}`);
  return new PenstockError('unavailable', `${url} could not be fetched: ${words}`, { retry: 'later' });
}
