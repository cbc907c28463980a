import { emulatorEnvironment, sendFirstMessage } from '../../support/built/first-message.ts';
import { createTopics } from '../../support/create-topics.ts';
import { startEmulators } from '../../support/emulators.ts';
import { median } from '../percentile.ts';
import { installFunctions } from './install-functions.ts';
import { measureStart, type Start } from './measure-start.ts';
import type { ColdOptions } from './read-options.ts';

export interface ColdResult {
  name: string;
  listenMs: number;
  ratioToBare: number;
  rssMb: number | null;
  firstMessageMs: number | null;
  /** Why there is no `firstMessageMs`. */
  reason?: string;
}

/** What a function finds where it is measured. */
interface Place {
  env: Record<string, string>;
  /** Why nothing can be sent there. */
  reason?: string;
  stop(): Promise<void>;
}

/**
 * Each function's processes one by one, each beside one of the bare framework: what slows the machine down for a while slows both. The
 * last of the results is the bare framework itself.
 */
export async function benchCold(
  options: ColdOptions,
  progress: (text: string) => void,
): Promise<ColdResult[]> {
  progress('building and installing');
  const installed = await installFunctions();
  const place = await openPlace(options);
  try {
    const measured = chosen(installed.names, options.only).map((name) => ({
      name,
      own: [] as Start[],
      beside: [] as Start[],
    }));
    for (let time = 1; time <= options.times; time += 1) {
      for (const { name, own, beside } of measured) {
        progress(`${time} of ${options.times}: ${name}`);
        const send = (url: string): Promise<number> => sendFirstMessage(name, url);
        own.push(await measureStart(installed.folderOf(name), place, send));
        beside.push(await measureStart(installed.bare, place, greet));
      }
    }
    const all = measured.flatMap(({ beside }) => beside);
    return [
      ...measured.map(({ name, own, beside }) => summarise(name, own, beside, place.reason)),
      summarise('bare framework', all, all),
    ];
  } finally {
    await place.stop();
    installed.remove();
  }
}

/** @throws Error naming what there is, when a function is asked for that is not built. */
function chosen(names: string[], only: string[]): string[] {
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`no function is named ${unknown}: ${names.join(', ')}`);
  return only.length === 0 ? names : only;
}

async function openPlace({ hasCompileCache }: ColdOptions): Promise<Place> {
  const cache: Record<string, string> = hasCompileCache ? {} : { NODE_DISABLE_COMPILE_CACHE: '1' };
  try {
    const emulators = await startEmulators();
    await createTopics(emulators.pubsubHost, emulators.projectId);
    return { env: { ...emulatorEnvironment(emulators), ...cache }, stop: () => emulators.stop() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { env: cache, reason, stop: () => Promise.resolve() };
  }
}

async function greet(url: string): Promise<number> {
  const response = await fetch(url);
  await response.text();
  return response.status;
}

function summarise(name: string, own: Start[], beside: Start[], reason?: string): ColdResult {
  const listenMs = median(own.map((start) => start.listenMs));
  return {
    name,
    listenMs: round(listenMs, 1),
    ratioToBare: round(listenMs / median(beside.map((start) => start.listenMs)), 3),
    rssMb: medianOf(own.map(({ rssMb }) => rssMb)),
    firstMessageMs: medianOf(own.map(({ firstMessageMs }) => firstMessageMs)),
    ...(reason === undefined ? {} : { reason }),
  };
}

function medianOf(values: (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? null : round(median(known), 1);
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
