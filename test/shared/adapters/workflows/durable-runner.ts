import { serve } from '@hono/node-server';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createRunner } from '../../../../shared/adapters/workflows/engine/runner.ts';
import { openSqliteJournal } from '../../../../shared/adapters/workflows/engine/sqlite-journal.ts';
import { createExecutionsApi } from '../../../../shared/adapters/workflows/executions-api/executions-api.ts';
import { loadWorkflow } from '../../../../shared/adapters/workflows/syntax/load-workflow.ts';

/** A process of its own, to be killed: `durable-runner.ts FOLDER WORKFLOW-FILE`. It prints its port. */
const [folder = '', file = ''] = process.argv.slice(2);
let baseUrl = '';
const runner = createRunner({
  journal: openSqliteJournal({ folder }),
  callbackBaseUrl: () => baseUrl,
  onFault: (error) => console.error(error),
});
const { workflow } = loadWorkflow(readFileSync(file, 'utf8'), { name: 'durable' });
const fetchApi = createExecutionsApi({
  runner,
  workflow: (name) => (name === 'durable' ? workflow : undefined),
});
const server = serve({ fetch: fetchApi, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) => {
  baseUrl = `http://127.0.0.1:${port}`;
  runner.recover();
  process.stdout.write(`${port}\n`);
});
process.on('disconnect', () => server.close());
