import { execFile } from 'node:child_process';
import type { Recount } from './recount-records.ts';

/** Has a new process judge what is stored. */
export async function runRecount(program: string, place: string): Promise<Recount> {
  const text = await new Promise<string>((resolve, reject) => {
    const args = ['--disable-warning=ExperimentalWarning', program, place];
    execFile(process.execPath, args, (error, stdout) =>
      stdout === '' ? reject(error ?? new Error('the recount said nothing')) : resolve(stdout),
    );
  });
  return JSON.parse(text) as Recount;
}
