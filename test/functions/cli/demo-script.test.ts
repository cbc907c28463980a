import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadScript, type Script } from '../../../shared/adapters/script/script-file.ts';
import { readTestCounts } from '../../../shared/core/repository/summarise-tests.ts';
import { plannedTask, type PlannedTask } from '../../../shared/messages/plan.ts';
import type { Tool, ToolResult } from '../../../shared/ports/tool.ts';
import {
  demoFolder,
  openDemoBench,
  sampleFiles,
  type DemoBench,
  type DemoSettings,
  type DoneTask,
} from './demo-bench.ts';

const WHOLE_RUN_MS = 300_000;
const FAILING_TEST = "test('loads a file of release 1.0'";
const scriptFile = join(demoFolder, 'script.yaml');
const script = await loadScript(scriptFile);
const files = sampleFiles();
const requirement = readFileSync(join(demoFolder, 'issue.md'), 'utf8').replace(/^# /, '').trim();

type Plan = Map<string, PlannedTask>;

/** The run as it is meant to be; the negative controls begin with what its tasks gave. */
let plan: Plan;
const done = new Map<string, DoneTask>();
let review: DoneTask;
let answered: (string | undefined)[];

const openBenches: DemoBench[] = [];
async function open(settings: Partial<DemoSettings> = {}): Promise<DemoBench> {
  const bench = await openDemoBench({ script, files, ...settings });
  openBenches.push(bench);
  return bench;
}

/** Change sets of a task's ancestors, as its workspace has them. */
function inputsOf(id: string): Map<string, DoneTask> {
  const ancestors = new Set<string>();
  const visit = (name: string): void => {
    for (const dependency of plan.get(name)?.dependencies ?? []) {
      ancestors.add(dependency);
      visit(dependency);
    }
  };
  visit(id);
  return new Map([...done].filter(([name]) => ancestors.has(name)));
}

function changeSetsBut(missing: string): Map<string, DoneTask> {
  return new Map([...done].filter(([id]) => id !== missing && id !== 'integrate'));
}

function taskOf(id: string): PlannedTask {
  const task = plan.get(id);
  if (task === undefined) throw new Error(`the plan has no task ${id}`);
  return task;
}

const work = (bench: DemoBench, id: string): Promise<DoneTask> =>
  bench.work(taskOf(id), inputsOf(id), { requirement });

async function judge(bench: DemoBench, integrated: DoneTask): Promise<DoneTask> {
  const subject = {
    kind: 'review' as const,
    diff: await bench.diff(integrated),
    checks: checksOf(integrated),
  };
  return bench.work({ ...taskOf('review'), dependencies: [] }, new Map(), { requirement, ...subject });
}

function checksOf({ lines }: DoneTask) {
  return lines.flatMap((line) => (line.kind === 'checks' ? [line.results] : [])).at(-1) ?? [];
}

/** What the agent's own test runs came to, in order. */
function testRuns({ lines }: DoneTask): string[] {
  return lines.flatMap((line) => (line.kind === 'tool' && line.name === 'run_tests' ? [line.summary] : []));
}

beforeAll(async () => {
  const bench = await open();
  const planned = await bench.plan(requirement);
  if (planned.result.outcome === 'failed') throw new Error(planned.result.failure.message);
  const { tasks } = JSON.parse(planned.result.output ?? '') as { tasks: unknown[] };
  plan = new Map(tasks.map((task) => plannedTask.parse(task)).map((task) => [task.id, task]));
  done.set('plan', planned);
  for (const id of ['design', 'api', 'storage', 'tests', 'docs']) done.set(id, await work(bench, id));
  const integrated = await bench.integrate(done);
  done.set('integrate', integrated);
  review = await judge(bench, integrated);
  answered = bench.calls().map(({ turn }) => turn);
}, WHOLE_RUN_MS);

afterAll(() => Promise.all(openBenches.map((bench) => bench.stop())));

describe('the sample repository of the demo', () => {
  it('is green as it is, without an install', () => {
    const { exitCode, output } = testFolder(files);
    expect({ exitCode, counts: readTestCounts(output) }).toEqual({
      exitCode: 0,
      counts: { passed: 11, failed: 0, skipped: 0 },
    });
    expect(JSON.parse(files['package.json'] ?? '')).not.toHaveProperty('dependencies');
  });
});

describe('the script of the demo', () => {
  it('says that a person wrote it and that its figures are simulated', () => {
    expect(script.note).toMatch(/scripted by hand; no AI/);
    expect(readFileSync(scriptFile, 'utf8').split('\n', 1)[0]).toMatch(
      /written by hand.*No AI is called.*simulated/,
    );
  });

  it('claims no test result in its own words, and knows no run, path or address', () => {
    const words = JSON.stringify(script.turns.map(({ answer }) => answer));
    expect(words).not.toMatch(/\d+ (tests )?(pass|fail|ok)/);
    expect(words).not.toMatch(/\/tmp|\/home|127\.0\.0\.1|localhost/);
  });

  it('plans six tasks from what it read, two of them side by side', () => {
    const edges = [...plan.values()].map(({ id, dependencies }) =>
      `${id} < ${dependencies.join(' ')}`.trim(),
    );
    expect(edges).toEqual([
      'design <',
      'api < design',
      'storage < design',
      'tests < api storage',
      'docs < tests',
      'review < docs',
    ]);
    const read = done
      .get('plan')
      ?.lines.filter((line) => line.kind === 'tool' && line.name === 'read_file' && !line.isError);
    expect(read).toHaveLength(Object.keys(files).length);
  });

  it('carries every job to green checks', () => {
    const results = ['api', 'storage', 'tests', 'docs', 'integrate'].map((id) => done.get(id)?.result);
    const summaries = results.map((result) => [
      result?.outcome,
      result?.checks?.map(({ command, summary }) => `${command}: ${summary}`),
    ]);
    expect(summaries).toEqual(
      [16, 12, 23, 23, 23].map((passed) => ['succeeded', [`node --test: ${passed} passed`]]),
    );
  });

  it('meets one failing test of the repository on the way, and mends the code', () => {
    const storage = done.get('storage');
    expect(storage && testRuns(storage)).toEqual(['failed: 11 passed, 1 failed', 'passed: 12 passed']);
    const changed = storage?.entries.find(({ path }) => path === 'test/storage.test.js');
    expect(new TextDecoder().decode(changed?.content)).toContain(FAILING_TEST);
  });

  it('has each of its turns reached exactly once', () => {
    expect(answered).toEqual(script.turns.map(({ id }) => id));
  });

  it('ends with an approval and one remark', () => {
    expect(review.result).toMatchObject({
      outcome: 'succeeded',
      review: { verdict: 'approve', remarks: [{ path: 'CHANGELOG.md' }] },
    });
  });

  it('gives a tree whose own tests pass in an empty folder, and fail against the old code', () => {
    const changes = (done.get('integrate')?.entries ?? []).map(
      ({ path, content }) => [path, new TextDecoder().decode(content)] as const,
    );
    const head = { ...files, ...Object.fromEntries(changes) };
    const old = {
      ...head,
      ...Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith('src/'))),
    };
    expect(testFolder(head).exitCode).toBe(0);
    expect(testFolder(old).exitCode).toBe(1);
  });

  it('documents an example that prints what it says', () => {
    const readme = textOf('README.md');
    const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const said = [...example.matchAll(/^\/\/ (.*)$/gm)].map((match) => match[1]);
    const printed = runInHead('example.mjs', example.replace('@acme/todo', './src/index.js'));
    expect(said).toHaveLength(2);
    expect(printed.trim().split('\n')).toEqual(said);
  });
});

describe('the script fails when', () => {
  const nothing =
    (name: string, result: (input: Record<string, string>) => ToolResult) =>
    (tool: Tool): Tool =>
      tool.spec.name === name
        ? { ...tool, run: async (input) => result(input as Record<string, string>) }
        : tool;
  const ok = (content: string): ToolResult => ({ content, isError: false, summary: 'ok' });
  const idleEdit = nothing('edit_file', ({ path }) => ok(`edited ${path}: 1 place`));
  const idleWrite = nothing('write_file', ({ path }) => ok(`wrote ${path}: 66 lines`));
  const without = (id: string): Script => ({
    ...script,
    turns: script.turns.filter((turn) => turn.id !== id),
  });
  const noAnswer = (task: string) => ({
    outcome: 'failed',
    failure: {
      code: 'invalid_input',
      message: expect.stringMatching(new RegExp(`has no answer for agent \\w+, task ${task},`)),
    },
  });

  it.each(['api', 'storage', 'docs'])('the edit tool does nothing: %s', async (id) => {
    const bench = await open({ tamper: idleEdit });
    expect((await work(bench, id)).result).toMatchObject(noAnswer(id));
  });

  it('the write tool does nothing', async () => {
    const bench = await open({ tamper: idleWrite });
    expect((await work(bench, 'tests')).result).toMatchObject(noAnswer('tests'));
  });

  it('run_tests always answers green, even with the text that is hoped for', async () => {
    const tamper = nothing('run_tests', () =>
      ok('$ node --test\n✔ loads a file of release 1.0\n[passed, exit code 0: 12 passed]'),
    );
    const bench = await open({ tamper });
    expect((await work(bench, 'storage')).result).toMatchObject(noAnswer('storage'));
  });

  it('the fixing turn is gone', async () => {
    const bench = await open({ script: without('storage-fix') });
    expect((await work(bench, 'storage')).result).toMatchObject(noAnswer('storage'));
  });

  it('the test that fails on the way is deleted from the sample', async () => {
    const text = files['test/storage.test.js'] ?? '';
    const cut = text.replace(/test\('loads a file of release 1\.0'[\s\S]*?\n\}\);\n\n/, '');
    expect(cut).not.toContain(FAILING_TEST);
    const bench = await open({ files: { ...files, 'test/storage.test.js': cut } });
    expect((await work(bench, 'storage')).result).toMatchObject(noAnswer('storage'));
  });

  it('matching is ignored: the first answer of an agent comes again and again', async () => {
    const bench = await open({
      script: { ...script, turns: script.turns.map((turn) => ({ ...turn, when: {} })) },
    });
    expect((await bench.plan(requirement)).result).toMatchObject({
      outcome: 'failed',
      failure: { code: 'turn_limit' },
    });
    expect((await work(bench, 'storage')).result).toMatchObject({
      outcome: 'failed',
      failure: { code: 'turn_limit' },
    });
  });

  it('the answers are played in order, whatever the tools say, and the edit tool does nothing', async () => {
    const turns = script.turns.map((turn) => ({
      ...turn,
      when: { task: turn.when.task, assistantTurns: turn.when.assistantTurns },
    }));
    const bench = await open({ script: { ...script, turns }, tamper: idleEdit });
    expect((await work(bench, 'storage')).result).toMatchObject({
      outcome: 'failed',
      failure: { code: 'empty_output' },
    });
  });

  it.each(['api', 'storage'])('the change set of %s is not applied: the checks turn red', async (missing) => {
    const bench = await open();
    const integrated = await bench.integrate(changeSetsBut(missing));
    expect(integrated.result).toMatchObject({ outcome: 'failed', failure: { code: 'checks_red' } });
  });

  it.each(['tests', 'docs'])(
    'the change set of %s is not applied: the reviewer misses it',
    async (missing) => {
      const bench = await open();
      const integrated = await bench.integrate(changeSetsBut(missing));
      expect(integrated.result.outcome).toBe('succeeded');
      expect((await judge(bench, integrated)).result).toMatchObject(noAnswer('review'));
    },
  );
});

function textOf(path: string): string {
  const entry = done.get('integrate')?.entries.find((one) => one.path === path);
  return new TextDecoder().decode(entry?.content);
}

/** Runs the repository's own tests on these files in a folder of their own. */
function testFolder(tree: Record<string, string>): { exitCode: number; output: string } {
  return runIn(tree, ['--test']);
}

/** Runs a program in the integrated tree. */
function runInHead(name: string, source: string): string {
  const changes = (done.get('integrate')?.entries ?? []).map(({ path }) => [path, textOf(path)] as const);
  return runIn({ ...files, ...Object.fromEntries(changes), [name]: source }, [name]).output;
}

function runIn(tree: Record<string, string>, args: string[]): { exitCode: number; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-demo-tree-'));
  try {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const env = { PATH: process.env['PATH'] ?? '', NO_COLOR: '1' };
    return {
      exitCode: 0,
      output: execFileSync(process.execPath, args, {
        cwd: folder,
        env,
        encoding: 'utf8',
        stdio: 'pipe',
        timeout: 30_000,
      }),
    };
  } catch (error) {
    const { status, stdout } = error as { status: number | null; stdout: string };
    return { exitCode: status ?? -1, output: stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
