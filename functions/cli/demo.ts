import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Github } from '../../test/support/github/github-driver.ts';
import { startGithub } from '../../test/support/github/start-github.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { startUp, type Up } from '../local/up.ts';

export interface DemoOptions {
  /** Folder under which the demo makes its own. @default .penstock */
  data: string;
  env: Record<string, string | undefined>;
  /** The scripted model even where a key is set. */
  script?: string;
}

export interface Demo {
  up: Up;
  github: Github;
  repository: string;
  issue: { number: number; title: string };
  runId: string;
  folder: string;
  live: boolean;
  stop(): Promise<void>;
}

const REPOSITORY = { owner: 'acme', name: 'todo' };
const PERSON = 'dana';
/** A file of the demo. */
export const demoFile = (name: string): string => fileURLToPath(new URL(`demo/${name}`, import.meta.url));

/** A platform, a GitHub stand-in with the sample repository, and an issue that is labelled there: the webhook starts the run. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const folder = resolve(options.data, `demo-${randomBytes(2).toString('hex')}`);
  const github = await startGithub({ directory: join(folder, 'github') });
  const live = (options.env['ANTHROPIC_API_KEY'] ?? '') !== '' && options.script === undefined;
  const model = live ? 'anthropic' : `script:${options.script ?? demoFile('script.yaml')}`;
  const up = await startUp({
    port: 0,
    data: folder,
    model,
    quiet: true,
    env: { ...options.env, ...githubEnvironment(github) },
  });
  const stop = async () => {
    await up.stop();
    await github.stop();
  };
  try {
    const repository = await setTheScene(github, up.url);
    const issue = await openTheIssue(github, repository);
    const runId = runOf(github);
    return { up, github, repository, issue, runId, folder, live, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What points a platform to the stand-in. */
export function githubEnvironment(github: Github): Record<string, string> {
  return {
    GITHUB_API_URL: github.url,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_PRIVATE_KEY: github.app.privateKey,
    GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
  };
}

/** The sample repository, someone who may write to it, and a platform that hears of both. */
export async function setTheScene(github: Github, url: string): Promise<string> {
  const { repository } = await github.addRepository({ ...REPOSITORY, fromDirectory: demoFile('repository') });
  github.addUser(PERSON);
  github.setPermission(repository, PERSON, 'write');
  github.setWebhookUrl(`${url}/webhooks/github`);
  await github.announceInstallation(repository, 'created', PERSON);
  return repository;
}

/** The demo's issue, labelled, and answered by the platform. */
export async function openTheIssue(
  github: Github,
  repository: string,
): Promise<{ number: number; title: string }> {
  const [heading = '', ...body] = (await readFile(demoFile('issue.md'), 'utf8')).split('\n');
  const title = heading.replace(/^#\s*/, '');
  const { number } = await github.openIssue({
    repository,
    title,
    body: body.join('\n').trim(),
    author: PERSON,
  });
  await github.label({ repository, issue: number, label: 'penstock', actor: PERSON });
  await github.webhooksSettled();
  return { number, title };
}

/** The run that the platform answered the webhook with. */
export function runOf(github: Github): string {
  const answer = github
    .deliveries()
    .findLast((delivery) => delivery.event === 'issues' && delivery.action === 'labeled');
  const runId = /"runId":"([a-z0-9]+)"/.exec(answer?.response?.payload ?? '')?.[1];
  if (runId !== undefined) return runId;
  throw new PenstockError(
    'internal',
    `the webhook of the demo's issue started no run: ${answer?.response?.payload ?? 'it was not delivered'}`,
  );
}

/** How the reader checks by hand, with programs that know nothing of us. */
export function checksByHand({ github, repository, runId }: Demo): string[] {
  const bare = relative(process.cwd(), github.gitDirectory(repository));
  const rows: [string, string][] = [
    [`git -C ${bare} diff main...penstock/${runId}`, ''],
    [`npx penstock show ${runId}`, 'plan, attempts, cost, decisions'],
    [`npx penstock logs ${runId} storage`, 'what the agent said, ran and read'],
  ];
  return rows.map(([command, what]) => `  ${command.padEnd(46)} ${what}`.trimEnd());
}
