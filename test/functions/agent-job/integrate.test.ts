import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  collectChangeSet,
  type ChangeSetWithContents,
} from '../../../shared/adapters/workspace/collect-change-set.ts';
import { prepareWorkspace } from '../../../shared/adapters/workspace/prepare-workspace.ts';
import type { AttemptBrief } from '../../../shared/messages/attempt-api.ts';
import { openJobWorld, textIn, type JobWorld } from './job-world.ts';

const MATH = 'export function add(a, b) {\n  return a + b;\n}\n';

let world: JobWorld;
beforeEach(async () => {
  world = await openJobWorld([{ id: 'never', agent: 'nobody', answer: { text: 'x' } }]);
});
afterEach(() => world.stop());

/** What a task that wrote these files would have proposed. */
async function changeSet(
  files: Record<string, string>,
  inputs: ChangeSetWithContents[] = [],
): Promise<ChangeSetWithContents> {
  const directory = await mkdtemp(join(tmpdir(), 'penstock-change-'));
  try {
    const { folder, baseSha } = world.repository;
    const workspace = await prepareWorkspace({
      directory,
      service: 'sample',
      clone: { url: folder },
      baseSha,
      inputs,
    });
    for (const [path, text] of Object.entries(files)) await writeFile(join(workspace.checkout, path), text);
    return await collectChangeSet(workspace);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function integrate(inputs: Record<string, ChangeSetWithContents>, brief: Partial<AttemptBrief> = {}) {
  const offered = Object.entries(inputs).map(([task, { changeSet: set, contents }]) => {
    const texts = [...contents].map(([sha, bytes]) => [sha, Buffer.from(bytes).toString('base64')]);
    world.attempts.put(`in/${task}`, JSON.stringify({ changeSet: set, contents: Object.fromEntries(texts) }));
    return { task, url: world.attempts.blobUrl(`in/${task}`) };
  });
  const job = world.start({
    kind: 'integrate',
    agent: 'integrator',
    task: 'integrate-1',
    inputs: offered,
    ...brief,
  });
  expect({ code: await job.ended, log: job.text() }).toMatchObject({ code: 0 });
  return world.attempts.result();
}

const checksSeen = (): (boolean | undefined)[] =>
  world.attempts.lines().flatMap((line) => (line.kind === 'checks' ? [line.results[0]?.passed] : []));

describe('integration', () => {
  it('makes one change set of all, with checks after each and no model', async () => {
    const first = await changeSet({ 'src/mul.js': 'export const mul = (a, b) => a * b;\n' });
    const second = await changeSet({ 'src/math.js': `${MATH}export { mul } from './mul.js';\n` }, [first]);
    const result = await integrate({ api: first, storage: second });
    expect(result).toMatchObject({ outcome: 'succeeded', checks: [{ passed: true }] });
    expect(checksSeen()).toEqual([true, true]);
    expect(world.attempts.accepted()?.changeSet).toMatchObject({
      baseSha: world.repository.baseSha,
      checks: [{ passed: true }],
    });
    expect(world.attempts.accepted()?.changeSet.entries.map(({ path }) => path)).toEqual([
      'src/math.js',
      'src/mul.js',
    ]);
    expect(textIn(world.attempts, 'src/math.js')).toContain("from './mul.js'");
    expect(world.model.calls()).toEqual([]);
  });

  it('names the task of a conflict, the files and what collided', async () => {
    const first = await changeSet({ 'src/math.js': MATH.replace('a + b', 'b + a') });
    const second = await changeSet({ 'src/math.js': MATH.replace('a + b', 'Number(a) + Number(b)') });
    expect(await integrate({ api: first, storage: second })).toMatchObject({
      outcome: 'failed',
      failure: {
        code: 'conflict',
        task: 'storage',
        message: expect.stringMatching(/src\/math\.js[\s\S]*b \+ a[\s\S]*Number\(a\)/),
      },
      checks: [{ passed: true }],
    });
    expect(world.attempts.accepted()).toBeUndefined();
  });

  it('names the task with which green turned red, and stops there', async () => {
    const fine = await changeSet({ 'src/mul.js': 'export const mul = 1;\n' });
    const bad = await changeSet({ 'src/math.js': MATH.replace('a + b', 'a - b') });
    const after = await changeSet({ 'src/div.js': 'export const div = 1;\n' });
    const result = await integrate({ fine, bad, after });
    expect(result).toMatchObject({
      outcome: 'failed',
      failure: { code: 'checks_red', task: 'bad', message: expect.stringContaining('add') },
    });
    expect(checksSeen()).toEqual([true, false]);
  });

  it('names the first task when the base was green', async () => {
    const bad = await changeSet({ 'src/math.js': MATH.replace('a + b', 'a - b') });
    const after = await changeSet({ 'src/div.js': 'export const div = 1;\n' });
    expect(await integrate({ bad, after })).toMatchObject({ failure: { code: 'checks_red', task: 'bad' } });
  });

  it('goes on from a red base, when the end is green', async () => {
    const some = await changeSet({ 'src/one.js': '1;\n' });
    const rest = await changeSet({ 'src/two.js': '2;\n' });
    const contract = { test: ['test -e src/two.js'] };
    expect(await integrate({ some, rest }, { contract })).toMatchObject({
      outcome: 'succeeded',
      checks: [{ passed: true }],
    });
    expect(await integrate({ rest, some }, { contract: { test: ['test -e src/three.js'] } })).toMatchObject({
      failure: { code: 'checks_red', task: 'some' },
    });
  });

  it('says that there were no checks where the repository has no test command', async () => {
    const some = await changeSet({ 'src/one.js': '1;\n' });
    const result = await integrate({ some }, { contract: {} });
    expect(result).toMatchObject({
      outcome: 'succeeded',
      checks: [{ command: '', passed: false, summary: expect.stringContaining('none') }],
    });
  });

  it('keeps what checks write out of the change set', async () => {
    const some = await changeSet({ 'src/one.js': '1;\n' });
    await integrate({ some }, { contract: { test: ['echo x > report.txt; echo 2 > src/one.js'] } });
    expect(world.attempts.accepted()?.changeSet.entries.map(({ path }) => path)).toEqual(['src/one.js']);
    expect(textIn(world.attempts, 'src/one.js')).toBe('1;\n');
  });

  it('does not take a bundle that is not what it says', async () => {
    const some = await changeSet({ 'src/one.js': '1;\n' });
    const forged = {
      ...some,
      contents: new Map([...some.contents].map(([sha]) => [sha, Buffer.from('evil')])),
    };
    expect(await integrate({ some: forged })).toMatchObject({
      outcome: 'failed',
      failure: { message: expect.stringContaining('task some') },
    });
  });

  it('fails when there is nothing to integrate', async () => {
    expect(await integrate({})).toMatchObject({ outcome: 'failed', failure: { code: 'empty_output' } });
  });
});
