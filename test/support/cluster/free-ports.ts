import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below what a system gives away by itself: between the look and the use no other socket comes to have one by chance. Above the last
 * port that `fetch` refuses to ask, which is 10080.
 */
const FIRST = 10_100;
const END = 32_000;
/** Jest's workers look at the same time, each in a share of its own. */
const SHARES = 8;
const SHARE = Math.floor((END - FIRST) / SHARES);

const share = FIRST + (Number(process.env['JEST_WORKER_ID'] ?? 0) % SHARES) * SHARE;
let next = Math.floor(Math.random() * SHARE);

/** Ports on which nothing listens now, all different. One comes again only when its whole share was given: while who has it is down it looks free. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried += 1) {
    if (tried === SHARE) throw new Error(`no ${count} free ports from ${share} to ${share + SHARE - 1}`);
    const port = share + (next++ % SHARE);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  await once(server.close(), 'close');
  return true;
}
