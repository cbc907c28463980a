import type { Topic } from '../../../shared/messages/topics.ts';
import type { MessageFunction, Runtime } from '../../../shared/runtime/functions.ts';
import { registerHttp, registerMessage } from '../../../shared/runtime/register.ts';
import { faultyPorts } from './faulty-ports.ts';
import { createInjector, readOrders } from './injector.ts';
import { noteHandled, notePublished } from './message-ledger.ts';
import { shortenDeadlines } from './shorten-deadlines.ts';
import { watchFetch } from './watch-calls.ts';

/** Any function of the cluster, with the handler and the runtime that it is deployed with, whose every call of a port may break. */
const HTTP = {
  webhooks: async () => (await import('../../../functions/webhooks/webhooks.ts')).webhooks,
  intake: async () => (await import('../../../functions/intake/intake.ts')).intake,
  api: async () => (await import('../../../functions/api/api.ts')).api,
  attempts: async () => (await import('../../../functions/attempts/attempts.ts')).attempts,
  stages: async () => (await import('../../../functions/stages/stages.ts')).stages,
  sweep: async () => (await import('../../../functions/sweep/sweep.ts')).sweep,
};
const MESSAGE = {
  decomposition: async () =>
    (await import('../../../functions/decomposition/decomposition.ts')).decomposition,
  'agent-execution': async () =>
    (await import('../../../functions/agent-execution/agent-execution.ts')).agentExecution,
  'result-handling': async () =>
    (await import('../../../functions/result-handling/result-handling.ts')).resultHandling,
  integration: async () => (await import('../../../functions/integration/integration.ts')).integration,
  notification: async () => (await import('../../../functions/notification/notification.ts')).notification,
  'dead-letters': async () => (await import('../../../functions/dead-letters/dead-letters.ts')).deadLetters,
};

const name =
  process.argv.find((argument) => argument.startsWith('--target='))?.slice('--target='.length) ?? '';
const orders = readOrders();
const injector = createInjector(orders, name);
// Before anything takes hold of fetch.
watchFetch(injector.around);
shortenDeadlines();

if (isOf(HTTP, name)) registerHttp(name, HTTP[name], runtime);
else if (isOf(MESSAGE, name)) register(MESSAGE[name]);
else throw new Error(`no function is named '${name}'`);

function isOf<T extends object>(functions: T, wanted: string): wanted is keyof T & string {
  return wanted in functions;
}

function register<T extends Topic>(load: () => Promise<MessageFunction<T>>): void {
  registerMessage(name, async () => noteHandled(orders.folder, await load()), runtime);
}

async function runtime(): Promise<Runtime> {
  const { loadRuntime } = await import('../../../shared/runtime/load-runtime.ts');
  const deployed = await loadRuntime();
  const { folder } = orders;
  const ports = { ...deployed.ports, queue: notePublished(folder, deployed.ports.queue) };
  return { ...deployed, ports: faultyPorts(ports, { folder, injector }) };
}
