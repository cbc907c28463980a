import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { startInstalled } from '../../support/built/start-installed.ts';

export interface Start {
  listenMs: number;
  /** `undefined` where the machine does not say. */
  rssMb: number | undefined;
  /** `undefined` where nothing was sent. */
  firstMessageMs: number | undefined;
}

/** Whatever a process begins once it listens counts as memory before its first message. */
const SETTLE_MS = 100;

/** One fresh process: started, looked at, sent its first message where there is somewhere to send it, ended. `send` answers the HTTP status. */
export async function measureStart(
  folder: string,
  { env, reason }: { env: Record<string, string>; reason?: string },
  send: (url: string) => Promise<number>,
): Promise<Start> {
  const running = await startInstalled(folder, env);
  try {
    const { listenMs } = running;
    await sleep(SETTLE_MS);
    const rssMb = await residentMb(running.pid);
    if (reason !== undefined) return { listenMs, rssMb, firstMessageMs: undefined };
    const sentAt = performance.now();
    const status = await send(running.url);
    const firstMessageMs = performance.now() - sentAt;
    if (status >= 500) throw new Error(`${folder} answered ${status}:\n${running.output()}`);
    return { listenMs, rssMb, firstMessageMs };
  } finally {
    await running.kill();
  }
}

/** As Linux says it. */
async function residentMb(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
}
