import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import { loadOnce } from '../../../shared/runtime/load-once.ts';
import { registerHttp, registerMessage } from '../../../shared/runtime/register.ts';
import type { MessageFunction, Runtime } from '../../../shared/runtime/functions.ts';
import type { Topic } from '../../../shared/messages/topics.ts';
import { countPorts, emptyBill } from '../../support/count-ports.ts';
import { HTTP_FUNCTIONS, isNameOf, MESSAGE_FUNCTIONS } from '../../support/all-functions.ts';
import { countCommitRequests, countCommits } from './count-commits.ts';
import {
  type FunctionAnswers,
  type FunctionBill,
  type FunctionQuestion,
  socketOf,
  SOCKETS_VARIABLE,
} from './function-questions.ts';

/** Any function of the cluster as it is deployed, counted at its ports; only the agents' work is a no-op. */
const bill: FunctionBill = { ...emptyBill(), handled: 0, commits: 0, commitRequests: 0 };
const name =
  process.argv.find((argument) => argument.startsWith('--target='))?.slice('--target='.length) ?? '';
const profiler = new Session();

countCommitRequests(bill);
if (isNameOf(HTTP_FUNCTIONS, name)) registerHttp(name, HTTP_FUNCTIONS[name], runtime);
else if (isNameOf(MESSAGE_FUNCTIONS, name)) register(MESSAGE_FUNCTIONS[name]);
else throw new Error(`no function is named '${name}'`);

function register<T extends Topic>(load: () => Promise<MessageFunction<T>>): void {
  registerMessage(
    name,
    loadOnce(async () => {
      const fn = await load();
      return {
        ...fn,
        handle: async (ports, message) => {
          await fn.handle(ports, message);
          bill.handled += 1;
        },
      } satisfies MessageFunction<T>;
    }),
    runtime,
  );
}

async function runtime(): Promise<Runtime> {
  const { loadRuntime } = await import('../../../shared/runtime/load-runtime.ts');
  const deployed = await loadRuntime();
  const ports = countPorts(bill)(deployed.ports);
  const store = countCommits(bill, ports.store);
  const work = () => Promise.resolve({ outcome: 'succeeded' as const, summary: 'done' });
  return { ...deployed, ports: { ...ports, store, work } };
}

const answers: { [Q in FunctionQuestion]: (text: string) => Promise<FunctionAnswers[Q]> } = {
  bill: () => Promise.resolve(bill),
  memory: () => Promise.resolve({ rss: process.memoryUsage().rss }),
  profile: async () => {
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.start');
    return null;
  },
  saveProfile: async (file) => {
    const { profile } = await profiler.post('Profiler.stop');
    await writeFile(file, JSON.stringify(profile));
    return null;
  },
};

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://function');
  const question = pathname.slice(1) as FunctionQuestion;
  answers[question](searchParams.get('text') ?? '').then(
    (answer) => response.end(JSON.stringify(answer)),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
})
  .listen(socketOf(process.env[SOCKETS_VARIABLE] ?? '', name))
  .unref();
