import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { startHost } from '../../functions/local/host.ts';
import { readConfig } from '../../shared/runtime/config.ts';
import { countPorts, emptyBill } from '../support/count-ports.ts';
import type { HostAnswers, HostQuestion } from './host-process.ts';
import { watchSqlite } from './watch-sqlite.ts';

/**
 * The platform as `penstock up` composes it, in a process of its own; only the agents' work is a no-op.
 * With `--count` its ports are counted. Everything it is asked by the bench comes over IPC, what it is to do over HTTP.
 */
const FINALIZERS_MS = 50;
const bill = emptyBill();
const isCounted = process.argv.includes('--count');
const sqlite = watchSqlite({ statements: isCounted });
const host = await startHost({
  config: readConfig(),
  model: { provider: 'script', baseUrl: process.env['ANTHROPIC_BASE_URL'] ?? '', apiKey: 'none' },
  work: () => Promise.resolve({ outcome: 'succeeded', summary: 'done' }),
  ...(isCounted ? { decorate: countPorts(bill) } : {}),
});
// What starting cost is not on the bill.
Object.assign(bill, emptyBill());
const rowsBefore = sqlite.changesOf('documents');
const profiler = new Session();

const answers: { [Q in HostQuestion]: (text: string) => Promise<HostAnswers[Q]> } = {
  idle: () => host.runtime.queue.idle(),
  memory: async () => {
    globalThis.gc?.();
    // Finalizers that the first collection has made due let go of what the second one collects.
    await new Promise((resolve) => setTimeout(resolve, FINALIZERS_MS));
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed };
  },
  bill: () =>
    Promise.resolve({ ...structuredClone(bill), rowsChanged: sqlite.changesOf('documents') - rowsBefore }),
  settings: () =>
    Promise.resolve({
      journalMode: String(sqlite.ask('PRAGMA journal_mode')),
      synchronous: Number(sqlite.ask('PRAGMA synchronous')),
    }),
  profile: async () => {
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.start');
  },
  saveProfile: async (file) => {
    const { profile } = await profiler.post('Profiler.stop');
    await writeFile(file, JSON.stringify(profile));
  },
  stop: () => host.stop(),
};

process.on('message', ({ question, text }: { question: HostQuestion; text: string }) => {
  const finish = (answer: object): void => {
    process.send?.(answer, () => {
      if (question === 'stop') process.exit(0);
    });
  };
  answers[question](text).then(
    (value) => finish({ value }),
    (error: unknown) => finish({ error: String(error) }),
  );
});
// The bench is gone, whatever became of it.
process.once('disconnect', () => process.exit(1));
// A terminal's Ctrl-C reaches this process too; the bench stops it.
process.on('SIGINT', () => undefined);
process.send?.({ value: host.url });
