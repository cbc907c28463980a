import { startGithub } from '../support/github/start-github.ts';
import { githubEnvironment } from '../support/platform.ts';
import type { BenchGithub } from './github-process.ts';

/** A GitHub in a process of its own, so that its work does not stand in what the clients measure. */
const [directory = '', reader = ''] = process.argv.slice(2);
const github = await startGithub({ directory });
const files = { 'README.md': '# Todo\n' };
const { repository, installationId = 0 } = await github.addRepository({ owner: 'acme', name: 'todo', files });
github.addUser(reader);
github.setPermission(repository, reader, 'read');
const { number } = await github.openIssue({ repository, title: 'Todos', author: reader });
const ready: BenchGithub = {
  environment: githubEnvironment(github),
  webhookSecret: github.app.webhookSecret,
  repository,
  installationId,
  issue: { number, html_url: `${github.url}/${repository}/issues/${number}` },
};
process.once('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
process.send?.(ready);
