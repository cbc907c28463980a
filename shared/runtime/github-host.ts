import type { CodeHost } from '../ports/code-host.ts';
import type { Log } from '../ports/log.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { CommonConfig } from './config.ts';
import { lazily } from './lazily.ts';

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

/** GitHub by the App of the environment; its libraries are read with the first call. Throws `config` where no App is set up. */
export function githubHost(config: GithubConfig, log: Log): () => CodeHost {
  let host: CodeHost | undefined;
  return () => (host ??= openGithub(config, log));
}

function openGithub(config: GithubConfig, log: Log): CodeHost {
  const { GITHUB_APP_ID: appId, GITHUB_PRIVATE_KEY: privateKey, GITHUB_API_URL: apiUrl } = config;
  if (appId === undefined || privateKey === undefined) {
    throw new PenstockError(
      'config',
      'GitHub is not set up: set GITHUB_APP_ID and GITHUB_PRIVATE_KEY of your GitHub App',
    );
  }
  const load = async (): Promise<CodeHost> => {
    const { createGithubCodeHost } = await import('../adapters/github/github-code-host.ts');
    return createGithubCodeHost({ appId: Number(appId), privateKey, apiUrl, log });
  };
  return { host: 'github', hasPullRequests: true, ...lazily(load, METHODS) };
}
