import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emulatorEnvironment, sendFirstMessage } from '../support/built/first-message.ts';
import { type InstalledProcess, startInstalled } from '../support/built/start-installed.ts';
import { type Emulators, startEmulators } from '../support/emulators.ts';
import { openJobWorld, textIn } from '../functions/agent-job/job-world.ts';
import { startJobProcess } from '../functions/agent-job/job-process.ts';
import { group } from '../support/groups.ts';
import { buildProject } from './archives.ts';

// Once for all tests, and before jest asks which there are.
const built = await buildProject();
const { archives, root } = built;
afterAll(() => built.remove());

const archiveOf = (name: string) => {
  const found = archives.find((archive) => archive.name === name);
  if (found === undefined) throw new Error(`no archive of ${name}`);
  return found;
};
const textOf = (name: string, path: string) => archiveOf(name).files.get(path)?.toString() ?? '';
const names = archives.map(({ name }) => name);

let running: InstalledProcess | undefined;
afterEach(() => running?.kill());

describe('An archive', () => {
  it('is made of every folder that registers a function', () => {
    const folders = readdirSync(join(root, 'functions')).filter((name) =>
      readdirSync(join(root, 'functions', name)).includes('index.ts'),
    );
    expect(names).toEqual(folders.toSorted());
    expect(names).toContain('agent-execution');
  });

  it('has the same bytes when it is made again in another place', () => {
    const sums = built.again.flatMap(({ archive }) => archive?.sha256 ?? []);
    expect(sums).toEqual(archives.map(({ sha256 }) => sha256));
    expect(new Set(sums).size).toBe(archives.length);
  });

  it.each(names)('holds what its function reaches, and nothing else: %s', (name) => {
    const { files } = archiveOf(name);
    const modules = [...files.keys()].filter((path) => path.endsWith('.js') && path !== 'bake.js');
    const named = modules.flatMap((path) =>
      [...textOf(name, path).matchAll(/["']([./]*(?:shared\/chunks)?\/[\w.-]+-[A-Z0-9]{8}\.js)["']/g)].map(
        ([, specifier = '']) => join(path, '..', specifier),
      ),
    );
    expect([...new Set(named)].toSorted()).toEqual(
      modules.filter((path) => path !== `functions/${name}/index.js`).toSorted(),
    );
  });

  it('needs one package, pinned, and names no registry', () => {
    for (const name of names) {
      const manifest = JSON.parse(textOf(name, 'package.json')) as Record<string, unknown>;
      expect(manifest).toMatchObject({
        name: `penstock-${name}`,
        type: 'module',
        main: `functions/${name}/index.js`,
        engines: { node: '24' },
      });
      expect(manifest['dependencies']).toEqual({
        '@google-cloud/functions-framework': expect.stringMatching(/^\d+\.\d+\.\d+$/),
      });
      expect(textOf(name, 'package-lock.json')).not.toMatch(/"resolved"|registry/);
    }
  });

  it('brings the agents and prompts of the project', () => {
    for (const folder of ['shared/agents', 'shared/prompts'])
      for (const file of readdirSync(join(root, folder)).filter((name) => name !== 'README.md'))
        expect(textOf('decomposition', `${folder}/${file}`)).toBe(
          readFileSync(join(root, folder, file), 'utf8'),
        );
  });
});

const installed = built.whyNotInstalled === undefined ? describe : describe.skip;

installed('An archive, unpacked where nothing else is, after npm ci', () => {
  it.each(names)('starts, and answers that it has no project: %s', async (name) => {
    running = await startInstalled(archiveOf(name).folder);
    expect(await sendFirstMessage(name, running.url)).toBeGreaterThanOrEqual(500);
    expect(running.output()).toContain(
      'settings are wrong: GOOGLE_CLOUD_PROJECT is not set: the id of your Google Cloud project',
    );
  });

  it('tells who asks', async () => {
    running = await startInstalled(archiveOf('api').folder);
    const answer = await fetch(`${running.url}/health`);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({
      code: 'config',
      detail: expect.stringMatching(/^settings are wrong: GOOGLE_CLOUD_PROJECT is not set: /),
    });
  });

  it('names our own files and lines where something is thrown', async () => {
    running = await startInstalled(archiveOf('notification').folder);
    await sendFirstMessage('notification', running.url);
    expect(running.output()).toMatch(/at parseEnvironment \(.*\/shared\/runtime\/config\.ts:\d+:\d+\)/);
  });
});

const onEmulators = built.whyNotInstalled === undefined ? group('emulators') : describe.skip;

onEmulators('An archive on the emulators, baked as Google bakes it', () => {
  let emulators: Emulators;
  beforeAll(async () => {
    emulators = await startEmulators();
  });
  afterAll(() => emulators.stop());

  it.each([
    ['api', 200],
    ['result-handling', 204],
  ])('does its work: %s', async (name, status) => {
    const { folder } = archiveOf(name);
    execFileSync('npm', ['run', 'gcp-build'], { cwd: folder, stdio: 'pipe' });
    running = await startInstalled(folder, emulatorEnvironment(emulators));
    expect(await sendFirstMessage(name, running.url)).toBe(status);
    expect(running.output()).not.toContain('ERROR');
    expect(readdirSync(join(folder, '.compile-cache'))).toHaveLength(1);
  });
});

describe('The context of the image of jobs', () => {
  const context = built.images.find(({ name }) => name === 'agent-job')?.folder ?? '';

  it('has the program, what it reads, and how the image is made', () => {
    expect(readdirSync(context).toSorted()).toEqual(
      ['.dockerignore', 'Dockerfile', 'bake.js', 'functions', 'package.json', 'shared'].toSorted(),
    );
    expect(readdirSync(join(context, 'functions'))).toEqual(['agent-job']);
  });

  it('says what it lacks where nothing is set', async () => {
    const job = startJobProcess({ PATH: '' }, context);
    expect(await job.ended).toBe(2);
    expect(job.log()).toMatchObject([
      { severity: 'ERROR', message: expect.stringContaining('PENSTOCK_ATTEMPTS_URL') },
    ]);
  });

  it('carries an attempt from its ticket to a change set', async () => {
    const write = { name: 'write_file', input: { path: 'NOTES.md', content: 'Notes.\n' } };
    const agent = 'backend_developer';
    const world = await openJobWorld(
      [
        { id: 'write', agent, when: { assistantTurns: 0 }, answer: { tool_uses: [write] } },
        { id: 'end', agent, when: { assistantTurns: 1 }, answer: { text: 'Added notes.' } },
      ],
      context,
    );
    try {
      const job = world.start({});
      expect({ code: await job.ended, log: job.text() }).toMatchObject({ code: 0 });
      expect(world.attempts.result()).toMatchObject({ outcome: 'succeeded', checks: [{ passed: true }] });
      expect(textIn(world.attempts, 'NOTES.md')).toBe('Notes.\n');
    } finally {
      await world.stop();
    }
  });
});
