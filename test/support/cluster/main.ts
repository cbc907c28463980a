import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  demoFile,
  githubEnvironment,
  openTheIssue,
  runOf,
  setTheScene,
} from '../../../functions/cli/demo.ts';
import { onInterrupt } from '../../../functions/cli/on-interrupt.ts';
import type { Github } from '../github/github-driver.ts';
import { startGithub } from '../github/start-github.ts';
import { openClusterModel } from './cluster-model.ts';
import { HELP, type LauncherOptions, readOptions } from './read-options.ts';
import { type Cluster, startCluster } from './start-cluster.ts';

const HANDED_ON = /^(PENSTOCK|GITHUB|ANTHROPIC|OTEL)_|^LOG_LEVEL$/;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const options = readOptions(process.argv.slice(2), process.env);
  if (options === 'help') process.stdout.write(HELP);
  else await launch(options);
} catch (error) {
  process.stderr.write(`cluster: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

/** Up until Ctrl-C. */
async function launch(options: LauncherOptions): Promise<void> {
  const interrupt = onInterrupt();
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    const folder = options.data ?? (await temporaryFolder(cleanups));
    const github = options.github ? await startGithub({ directory: join(folder, 'github') }) : undefined;
    if (github !== undefined) cleanups.push(() => github.stop());
    const name = options.issue ? `script:${demoFile('script.yaml')}` : options.model;
    const model = await openClusterModel(name, process.env['ANTHROPIC_API_KEY']);
    cleanups.push(() => model.stop());
    const cluster = await startCluster({
      folder,
      port: options.port,
      sweepSeconds: options.sweepSeconds,
      env: {
        ...handedOn(),
        ...model.environment,
        ...(github === undefined ? {} : githubEnvironment(github)),
      },
      ...(options.built === undefined ? {} : { built: options.built }),
    });
    cleanups.push(() => cluster.stop());
    describe(cluster, model.says);
    if (github !== undefined) await play(cluster, github, options.issue);
    say('Ctrl-C stops it.');
    await new Promise<void>((resolve) => {
      if (interrupt.signal.aborted) resolve();
      else interrupt.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    interrupt.dispose();
    for (const cleanup of cleanups.toReversed()) await cleanup();
  }
}

async function temporaryFolder(cleanups: (() => Promise<unknown>)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-cluster-'));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function handedOn(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name, value]) => HANDED_ON.test(name) && value !== '');
  return Object.fromEntries(given) as Record<string, string>;
}

function describe(cluster: Cluster, model: string): void {
  const { url, environment, folder, functions } = cluster;
  say(`Penstock · cluster · ${functions.length} functions as processes of their own, on Google's emulators`);
  say(`  pages and API  ${url}`);
  say(`  model          ${model}`);
  say(`  logs           ${join(folder, 'logs')}`);
  say('  functions      port   process');
  for (const name of functions) say(`    ${name.padEnd(16)} ${cluster.portOf(name)}  ${cluster.pidOf(name)}`);
  say('  for a process of yours that is to see the same records:');
  for (const [name, value] of Object.entries(environment)) {
    if (/^(GOOGLE|FIRESTORE|PUBSUB|STORAGE|METADATA|PENSTOCK_(RUN_URL|BUCKET|REGION))/.test(name)) {
      say(`    export ${name}=${value}`);
    }
  }
}

async function play(cluster: Cluster, github: Github, isIssueWanted: boolean): Promise<void> {
  const repository = await setTheScene(github, cluster.url);
  say(`  GitHub         stand-in ${github.url}, repository ${repository}`);
  if (!isIssueWanted) return;
  const { number, title } = await openTheIssue(github, repository);
  say(`  issue #${number}       "${title}" → ${cluster.url}/runs/${runOf(github)}`);
}
