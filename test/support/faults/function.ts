import type { Topic } from '../../../shared/messages/topics.ts';
import type { MessageFunction, Runtime } from '../../../shared/runtime/functions.ts';
import { registerHttp, registerMessage } from '../../../shared/runtime/register.ts';
import { HTTP_FUNCTIONS, isNameOf, MESSAGE_FUNCTIONS } from '../all-functions.ts';
import { faultyPorts } from './faulty-ports.ts';
import { createInjector, readOrders } from './injector.ts';
import { noteHandled, notePublished } from './message-ledger.ts';
import { shortenDeadlines } from './shorten-deadlines.ts';
import { watchFetch } from './watch-calls.ts';

/** Any function of the cluster, with the handler and the runtime that it is deployed with, whose every call of a port may break. */
const name =
  process.argv.find((argument) => argument.startsWith('--target='))?.slice('--target='.length) ?? '';
const orders = readOrders();
const injector = createInjector(orders, name);
// Before anything takes hold of fetch.
watchFetch(injector.around);
shortenDeadlines();

if (isNameOf(HTTP_FUNCTIONS, name)) registerHttp(name, HTTP_FUNCTIONS[name], runtime);
else if (isNameOf(MESSAGE_FUNCTIONS, name)) register(MESSAGE_FUNCTIONS[name]);
else throw new Error(`no function is named '${name}'`);

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
