import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Journal } from '../../../../../shared/adapters/workflows/engine/journal.ts';
import { createMemoryJournal } from '../../../../../shared/adapters/workflows/engine/memory-journal.ts';
import { openSqliteJournal } from '../../../../../shared/adapters/workflows/engine/sqlite-journal.ts';
import { createVirtualClock } from '../../../../../shared/adapters/workflows/engine/virtual-clock.ts';
import { fromPlain, toPlain } from '../../../../../shared/adapters/workflows/values.ts';
import { testRunner, yaml } from '../run-workflow.ts';

const CHILD = fileURLToPath(new URL('../durable-runner.ts', import.meta.url));
const WORKFLOW = fileURLToPath(new URL('../../../../fixtures/workflows/durable.yaml', import.meta.url));
const EXECUTIONS = '/v1/projects/local/locations/local/workflows/durable/executions';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server that counts what it is told, and answers some of it only when it is told a second time. */
async function startWitness(hanging: string[]) {
  const told: string[] = [];
  const bodies: Record<string, string> = {};
  const seen: ((path: string) => void)[] = [];
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '';
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      told.push(path);
      bodies[path] = body;
      const hangs = hanging.includes(path) && told.filter((one) => one === path).length === 1;
      response.setHeader('content-type', 'application/json');
      if (!hangs) response.end(JSON.stringify({ n: told.filter((one) => one === path).length }));
      for (const look of seen) look(path);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    told,
    bodies,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    toldOf: (path: string) =>
      new Promise<void>((resolve) => {
        if (told.includes(path)) resolve();
        seen.push((one) => one === path && resolve());
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Seen {
  state: string;
  result?: string;
  error?: object;
  status: { currentSteps: { step: string }[] };
}

async function readUntil(url: () => string, isThere: (execution: Seen) => boolean): Promise<Seen> {
  for (;;) {
    const execution = (await (await fetch(url())).json()) as Seen;
    if (isThere(execution)) return execution;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

async function startChild(): Promise<{ child: ChildProcess; url: string; kill(): Promise<void> }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, folder, WORKFLOW], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return {
    child,
    url: `http://127.0.0.1:${port.toString().trim()}`,
    async kill() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

describe('an execution whose process is killed', () => {
  it('goes on where it was, in a sleep, a callback, a parallel step or a request, and repeats no call that was answered', async () => {
    const witness = await startWitness(['/hang-post', '/hang-get']);
    let runner = await startChild();
    try {
      const argument = JSON.stringify({ url: witness.url });
      const created = await fetch(runner.url + EXECUTIONS, {
        method: 'POST',
        body: JSON.stringify({ argument }),
      });
      const { name } = (await created.json()) as { name: string };
      const until = (isThere: (execution: Seen) => boolean) =>
        readUntil(() => `${runner.url}/v1/${name}`, isThere);

      // Both branches wait, one for time and one for the callback.
      await until(({ status }) =>
        ['rest', 'wait'].every((one) => status.currentSteps.some(({ step }) => step === one)),
      );
      await runner.kill();
      runner = await startChild();
      await until(
        ({ status }) => !status.currentSteps.some(({ step }) => step === 'rest' || step === 'tell_slept'),
      );
      const { pathname } = new URL((JSON.parse(witness.bodies['/open'] ?? '') as { url: string }).url);
      const headers = { 'content-type': 'application/json' };
      const called = await fetch(runner.url + pathname, {
        method: 'POST',
        headers,
        body: '{"name":"called"}',
      });
      expect(called.status).toBe(200);

      for (const hanging of ['/hang-post', '/hang-get']) {
        await witness.toldOf(hanging);
        await runner.kill();
        runner = await startChild();
      }

      const execution = await until(({ state }) => state !== 'ACTIVE');
      expect(execution.error).toBeUndefined();
      expect(JSON.parse(execution.result ?? '')).toEqual({
        first: 1,
        seen: ['slept', 'called', 'ConnectionError'],
        got: 2,
      });
      expect(witness.told.toSorted()).toEqual([
        '/first',
        '/hang-get',
        '/hang-get',
        '/hang-post',
        '/open',
        '/slept',
      ]);
    } finally {
      await runner.kill();
      await witness.close();
    }
  }, 300_000);
});

/** Keeps what is written, over the end of a runner. */
function kept(journal: Journal): Journal {
  return { ...journal, close: () => undefined };
}

const journals: [string, () => Journal][] = [
  ['memory', createMemoryJournal],
  ['a file', () => openSqliteJournal({ folder })],
];

describe.each(journals)('a journal in %s', (_where, open) => {
  const ORDER = yaml(`
    - init: {assign: [{seen: []}]}
    - all:
        parallel:
          shared: [seen]
          for:
            value: v
            in: [3, 1, 2]
            steps:
              - rest: {call: sys.sleep, args: {seconds: \${v}}}
              - id: {assign: [{seen: \${list.concat(seen, [v, len(seen), uuid.generate()])}}]}
              - more: {call: sys.sleep, args: {seconds: \${10 - v - len(seen)}}}
    - done: {return: \${seen}}`);

  it('lets an execution that is taken up after any of its entries end as it would have ended', async () => {
    const ids = () => {
      let id = 0;
      return () => `id-${(id += 1)}`;
    };
    const whole = testRunner({ newId: ids() });
    const expected = toPlain(
      (await whole.runner.finished(whole.runner.start(whole.load(ORDER), null))).result ?? null,
    );
    const journal = kept(open());
    const newId = ids();
    const clock = createVirtualClock({ isAutomatic: false });
    const first = testRunner({ journal, newId, clock });
    const id = first.runner.start(first.load(ORDER), null);
    for (let second = 0; second < 12; second += 1) {
      await clock.advance(1_000);
      const taken = testRunner({ journal, newId, clock });
      if (second === 0) first.runner.close();
      taken.runner.recover();
      await clock.settled();
      taken.runner.close();
    }
    const last = testRunner({ journal, newId, clock });
    last.runner.recover();
    expect(toPlain((await last.runner.finished(id)).result ?? null)).toEqual(expected);
    journal.close();
  });

  it('tells what is active, what ended and how, and forgets what is old', async () => {
    const journal = kept(open());
    const { runner, load, clock } = testRunner({
      journal,
      clock: createVirtualClock({ isAutomatic: false }),
    });
    const sleeping = runner.start(
      load('- a: {call: sys.sleep, args: {seconds: 1}}\n- b: {return: 1}'),
      fromPlain({ x: 1 }),
      {
        labels: { l: 'v' },
      },
    );
    const failed = runner.start(load('- a: {raise: no}'), null);
    await clock.settled();
    expect([journal.active(), runner.list('test', { limit: 5 }).map(({ id, state }) => [id, state])]).toEqual(
      [
        [sleeping],
        [
          [failed, 'failed'],
          [sleeping, 'active'],
        ],
      ],
    );
    expect(runner.list('test', { limit: 1, after: failed }).map(({ id }) => id)).toEqual([sleeping]);
    await clock.advance(1_000);
    expect(journal.read(sleeping).map(({ type }) => type)).toEqual(['started', 'ended']);
    expect(runner.state(sleeping)).toMatchObject({ state: 'succeeded', result: 1n, labels: { l: 'v' } });
    await clock.advance(91 * 24 * 3_600_000);
    expect([runner.recover(), runner.state(sleeping), runner.list('test', { limit: 5 })]).toEqual([
      0,
      undefined,
      [],
    ]);
    expect(() => runner.start(load('- a: {return: 1}'), null, { executionId: sleeping })).not.toThrow();
  });

  it('ends an execution whose answers belong to another workflow', async () => {
    const journal = kept(open());
    const { runner, load, clock } = testRunner({
      journal,
      clock: createVirtualClock({ isAutomatic: false }),
    });
    const id = runner.start(load('- a: {call: sys.sleep, args: {seconds: 1}}'), null);
    await clock.settled();
    runner.close();
    journal.append(id, { type: 'done', key: '0/0', name: 'http.get', value: null });
    const next = testRunner({ journal, clock });
    next.runner.recover();
    expect((await next.runner.finished(id)).error?.context).toMatch(/is that of http.get, not of sys.sleep/);
  });
});
