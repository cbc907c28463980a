import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { freePorts } from '../cluster/free-ports.ts';

export interface InstalledProcess {
  url: string;
  pid: number;
  /** From the start of the process to the moment that it listens. */
  listenMs: number;
  /** All that it wrote. */
  output(): string;
  /** Ends it at once. */
  kill(): Promise<void>;
}

const START_TIMEOUT_MS = 120_000;

/** What `npm start` runs in the folder of an installed package, on a free port, with nothing but `env` in its environment. */
export async function startInstalled(
  folder: string,
  env: Record<string, string> = {},
): Promise<InstalledProcess> {
  const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [port = 0] = await freePorts(1);
  const path = [join(folder, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH'] ?? ''];
  const startedAt = performance.now();
  const child = spawn('sh', ['-c', `exec ${scripts.start}`], {
    cwd: folder,
    env: { PATH: path.join(delimiter), PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listening = new Promise<number>((resolve, reject) => {
    const give = (why: string): void => reject(new Error(`${folder} ${why}:\n${output}`));
    const timer = setTimeout(() => give(`does not listen after ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      // The framework says so when it does.
      if (!output.includes('URL: ')) return;
      clearTimeout(timer);
      resolve(performance.now() - startedAt);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => {
      clearTimeout(timer);
      give(`ended with ${code}`);
    });
  });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const kill = async (): Promise<void> => {
    process.off('exit', endWithUs);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  try {
    const listenMs = await listening;
    return { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, listenMs, output: () => output, kill };
  } catch (error) {
    await kill();
    throw error;
  }
}
