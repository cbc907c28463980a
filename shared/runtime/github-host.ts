import type { CodeHost } from '../ports/code-host.ts';
import type { Log } from '../ports/log.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { CommonConfig } from './config.ts';
import { whichever } from './lazily.ts';
import { loadOnce } from './load-once.ts';

const METHODS = [
  'defaultBranch',
  'readBranch',
  'readCommit',
  'readTree',
  'readFile',
  'permission',
  'readThread',
  'diff',
  'cloneAccess',
  'writeCommit',
  'createBranch',
  'advanceBranch',
  'findPullRequest',
  'createPullRequest',
  'updatePullRequest',
  'markReady',
  'findComment',
  'createComment',
  'updateComment',
  'findCheckRun',
  'createCheckRun',
  'updateCheckRun',
  'readCi',
] as const;

type GithubConfig = Pick<CommonConfig, 'GITHUB_APP_ID' | 'GITHUB_PRIVATE_KEY' | 'GITHUB_API_URL'>;
type Current = () => Promise<Pick<GithubConfig, 'GITHUB_PRIVATE_KEY'>>;

/**
 * GitHub by the App of the environment; its libraries are read with the first call. `current` says which key holds now, where it may
 * be rotated meanwhile. Throws `config` where no App is set up.
 */
export function githubHost(
  config: GithubConfig,
  log: Log,
  current: Current = () => Promise.resolve(config),
): () => CodeHost {
  let host: CodeHost | undefined;
  return () => (host ??= openGithub(config, log, current));
}

function openGithub(config: GithubConfig, log: Log, current: Current): CodeHost {
  const { GITHUB_APP_ID: appId, GITHUB_API_URL: apiUrl } = config;
  if (appId === undefined || config.GITHUB_PRIVATE_KEY === undefined) {
    throw new PenstockError(
      'config',
      'GitHub is not set up: set GITHUB_APP_ID and GITHUB_PRIVATE_KEY of your GitHub App',
    );
  }
  const open = async (privateKey: string): Promise<CodeHost> => {
    const { createGithubCodeHost } = await import('../adapters/github/github-code-host.ts');
    return createGithubCodeHost({ appId: Number(appId), privateKey, apiUrl, log });
  };
  let opened: { privateKey: string; host: () => Promise<CodeHost> } | undefined;
  const find = async (): Promise<CodeHost> => {
    const { GITHUB_PRIVATE_KEY: privateKey = '' } = await current();
    if (opened?.privateKey !== privateKey) opened = { privateKey, host: loadOnce(() => open(privateKey)) };
    return opened.host();
  };
  return { host: 'github', hasPullRequests: true, ...whichever(find, METHODS) };
}
