import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/cluster/free-ports.ts';
import { answers, type FunctionProcess, functionProcess } from '../support/cluster/function-process.ts';
import { pushMessage } from './push-message.ts';
import { eventually } from './push-world.ts';

const source = fileURLToPath(new URL('throwing-function.ts', import.meta.url));
const ENDS_MS = 20_000;

describe('An error that nobody awaits', () => {
  let folder: string;
  let running: FunctionProcess | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'penstock-uncaught-'));
  });
  afterEach(() => running?.kill());
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const calls = {
    decomposition: (url: string) =>
      pushMessage(url, 'run-accepted', { v: 1, tenant: 'local', run: 'abcd1234' }),
    sweep: async (url: string) => (await fetch(url, { method: 'POST' })).status,
  };

  it.each([
    { name: 'decomposition', signature: 'cloudevent' },
    { name: 'sweep', signature: 'http' },
  ] as const)(
    'ends the process, and so comes to whoever tries again, instead of leaving half a process: $name',
    async ({ name, signature }) => {
      const [port = 0] = await freePorts(1);
      const logFile = join(folder, name);
      const env = { PATH: process.env['PATH'] ?? '', TMPDIR: folder };
      running = functionProcess({ name, source, signature, port, env, logFile });
      await running.start();
      // The framework tells the caller, if it comes to that.
      await calls[name](`http://127.0.0.1:${port}`).then(
        (status) => expect(status).toBe(500),
        () => undefined,
      );
      const isGone = async () => ((await answers(port)) ? undefined : true);
      expect(await eventually('the end of the process', isGone, ENDS_MS)).toBe(true);
      const log = await readFile(logFile, 'utf8');
      expect(log).toContain('Uncaught exception');
      expect(log).toContain('nobody awaits this');
    },
  );
});
