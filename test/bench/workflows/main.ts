import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRunner, type Runner } from '../../../shared/adapters/workflows/engine/runner.ts';
import { openSqliteJournal } from '../../../shared/adapters/workflows/engine/sqlite-journal.ts';
import { loadWorkflow } from '../../../shared/adapters/workflows/syntax/load-workflow.ts';
import { shippedPath } from '../../../shared/runtime/shipped-path.ts';
import type { Workflow } from '../../../shared/adapters/workflows/syntax/ast.ts';

// The runner of workflows by itself: `node --expose-gc test/bench/workflows/main.ts` prints one JSON object.

const LOOP = `
- init: {assign: [{n: 0}]}
- count:
    for: {value: v, range: [1, 10000], steps: [{add: {assign: [{n: "\${n + v}"}]}}]}
- done: {return: "\${n}"}`;

const WAITING = 1_000;

function load(text: string): Workflow {
  const { workflow, problems } = loadWorkflow(text);
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  return workflow;
}

async function timed<T>(work: () => T | Promise<T>): Promise<{ ms: number; value: T }> {
  const from = performance.now();
  const value = await work();
  return { ms: Math.round((performance.now() - from) * 10) / 10, value };
}

interface Memory {
  process: number;
  heap: number;
}

/** In MB: what the process has, and what of its heap is in use. */
function memory(): Memory {
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return { process: Math.round(rss / 1e6), heap: Math.round(heapUsed / 1e6) };
}

function more(now: Memory, before: Memory): Memory {
  return { process: now.process - before.process, heap: now.heap - before.heap };
}

async function loop(): Promise<number> {
  const runner = createRunner();
  const { ms, value } = await timed(() => runner.finished(runner.start(load(LOOP), null)));
  if (value.result !== 50_005_000n) throw new Error('the loop did not add up');
  return ms;
}

async function wakeAll(runner: Runner, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const [endpoint] = runner.callbacks(id);
    runner.receive({ execution: id, callback: endpoint?.id ?? '', method: 'POST', value: new Map() });
  }
  await Promise.all(ids.map((id) => runner.finished(id)));
}

/** Runs `requirement` as far as its first wait, and to its end once it is woken. */
function requirementRunner(folder: string, isWoken: () => boolean): Runner {
  const answer = (): Response => {
    const isOver = isWoken();
    return Response.json({
      stage: isOver ? 'failed' : 'planning',
      sequence: 1,
      over: isOver,
      ended: isOver,
      reason: null,
    });
  };
  return createRunner({
    journal: openSqliteJournal({ folder }),
    env: { PENSTOCK_STAGES_URL: 'https://stages.example' },
    auth: { oidc: () => Promise.resolve('token'), oauth2: () => Promise.resolve('token') },
    fetch: () => Promise.resolve(answer()),
  });
}

async function untilAllWait(runner: Runner, ids: readonly string[]): Promise<void> {
  while (ids.some((id) => runner.callbacks(id).length === 0))
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
}

async function waiting(folder: string, source: string): Promise<object> {
  const workflow = load(source);
  const argument = new Map([
    ['tenant', 'local'],
    ['run', 'r1234567'],
  ]);
  const before = memory();
  const first = requirementRunner(folder, () => false);
  const { ms: startMs, value: ids } = await timed(async () => {
    const started = Array.from({ length: WAITING }, () => first.start(workflow, argument));
    await untilAllWait(first, started);
    return started;
  });
  const after = memory();
  first.close();
  let isWoken = false;
  const second = requirementRunner(folder, () => isWoken);
  const { ms: recoverMs } = await timed(async () => {
    second.recover();
    await untilAllWait(second, ids);
  });
  const recovered = memory();
  isWoken = true;
  const { ms: wakeMs } = await timed(() => wakeAll(second, ids));
  second.close();
  const memoryMb = { started: more(after, before), recovered: more(recovered, before) };
  return { executions: WAITING, startMs, recoverMs, wakeMs, memoryMb };
}

const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-workflows-'));
try {
  const source = readFileSync(shippedPath('workflows/requirement.yaml'), 'utf8');
  const loads = [];
  for (let round = 0; round < 5; round += 1) loads.push((await timed(() => load(source))).ms);
  const [firstMs = 0, ...others] = loads;
  const result = {
    loadRequirementMs: { first: firstMs, again: Math.min(...others) },
    loopOf10000AssignsMs: await loop(),
    waiting: await waiting(folder, source),
  };
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
