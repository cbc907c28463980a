import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInjector, readOrders } from './injector.ts';
import { pidsFolder } from './job-groups.ts';
import { shortenDeadlines } from './shorten-deadlines.ts';
import { watchFetch, watchSpawn } from './watch-calls.ts';

/** The job's own program; what it asks of the platform and what it starts is noted, and may kill it. */
const orders = readOrders();
const [task = '', generation = ''] = (process.env['PENSTOCK_ATTEMPT'] ?? '').split('/').slice(-2);
const pids = pidsFolder(orders.folder);
mkdirSync(pids, { recursive: true });
const self = `job ${task}/${generation}`;
writeFileSync(join(pids, String(process.pid)), self);

const { around } = createInjector(orders, self);
watchFetch(around);
watchSpawn(around);
shortenDeadlines();
await import('../../../functions/agent-job/main.ts');
