import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCalls } from './injector.ts';

const MAX_PROGRAM_CHARS = 300;

/** Each job of a schedule leaves its number here, and as what it notes its calls; it leads a process group. */
export const pidsFolder = (folder: string): string => join(folder, 'pids');

/** For people: which jobs still run, as what, and what they did last. */
export function jobTexts(folder: string): string[] {
  return livingJobs(folder).map((group) => {
    const name = readFileSync(join(pidsFolder(folder), group), 'utf8');
    const last = readCalls(folder).findLast(({ process }) => process === name);
    const programs = membersOf(group).map((pid) => readProc(pid, 'cmdline').replaceAll('\0', ' ').trim());
    const text = programs.join('; ').slice(0, MAX_PROGRAM_CHARS);
    return `a job still runs as process group ${group}: ${name}, last call ${last?.call ?? 'none'}; ${text}`;
  });
}

/** Groups of jobs that still have a process: the job itself, or what it started. */
export function livingJobs(folder: string): string[] {
  if (!existsSync(pidsFolder(folder))) return [];
  return readdirSync(pidsFolder(folder)).filter((pid) =>
    membersOf(pid).some((member) => isOfJob(member, pid)),
  );
}

/** Jobs are process groups of their own and outlive a killed platform. */
export function endJobs(folder: string): void {
  for (const pid of livingJobs(folder)) {
    try {
      process.kill(-Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** The processes of a group, by what the system says of each. */
function membersOf(group: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && groupOf(pid) === group);
}

/** Third field after the name, which is in parentheses and may hold anything; a process that has ended and is not yet fetched counts as gone. */
function groupOf(pid: string): string | undefined {
  const [state, , group] = (readProc(pid, 'stat').split(') ').at(-1) ?? '').split(' ');
  return state === 'Z' ? undefined : group;
}

/** A number may belong to somebody else by now. */
function isOfJob(member: string, group: string): boolean {
  return member !== group || /faults\/job\.[jt]s/.test(readProc(member, 'cmdline'));
}

function readProc(pid: string, file: 'stat' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
