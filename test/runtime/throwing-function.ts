import { Hono } from 'hono';
import { registerHttp, registerMessage } from '../../shared/runtime/register.ts';
import { openRuntime } from './function-door.ts';

/** Two functions in which something is thrown that nobody awaits, as by an event of a client library, while they work. */
function throwAside(): Promise<never> {
  setImmediate(() => {
    throw new Error('nobody awaits this');
  });
  return new Promise(() => undefined);
}

const app = () => new Hono().post('/', throwAside);
registerHttp('sweep', () => Promise.resolve({ name: 'sweep', app }), openRuntime);
registerMessage(
  'decomposition',
  () => Promise.resolve({ name: 'decomposition', topic: 'run-accepted', handle: throwAside }),
  openRuntime,
);
