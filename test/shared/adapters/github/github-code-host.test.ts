import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGithubCodeHost } from '../../../../shared/adapters/github/github-code-host.ts';
import type { Log } from '../../../../shared/ports/log.ts';
import { codeHostContract, CONTRACT_FILES } from '../../../contract/code-host-contract.ts';
import { startGithub } from '../../../support/github/start-github.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent };

codeHostContract('github', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'github-contract-'));
  const github = await startGithub({ directory });
  const { repository } = await github.addRepository({ owner: 'acme', name: 'todo', files: CONTRACT_FILES });
  await github.addRepository({ owner: 'acme', name: 'empty' });
  const { id: appId, privateKey } = github.app;
  return {
    host: createGithubCodeHost({ appId, privateKey, apiUrl: github.url, log: silent }),
    repository: { host: 'github', repository },
    emptyRepository: { host: 'github', repository: 'acme/empty' },
    unknownRepository: { host: 'github', repository: 'acme/unknown' },
    openIssue: async (title, body, author) =>
      (await github.openIssue({ repository, title, body, author })).number,
    comment: async (issue, body) =>
      void (await github.comment({ repository, issue, body, author: 'mallory' })),
    stop: async () => {
      await github.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
