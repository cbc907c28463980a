import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crashAt, type CrashOrders } from './crash-point.ts';
import { watchFetch, watchSpawn } from './watch-calls.ts';

/** The job's own program; what it asks of the platform and what it starts is counted. */
const orders = JSON.parse(process.env['PENSTOCK_TEST_CRASH'] ?? '{}') as CrashOrders;
const [, task = '', generation = ''] = (process.env['PENSTOCK_ATTEMPT'] ?? '').split('/');
const pids = join(orders.folder, 'pids');
mkdirSync(pids, { recursive: true });
writeFileSync(join(pids, String(process.pid)), '');

const counted = crashAt(orders, `job ${task}/${generation}`);
watchFetch(counted);
watchSpawn(counted);
await import('../../../functions/agent-job/main.ts');
