import type { NoAnswer } from './project-reader.ts';

export interface ProjectFinding {
  /** What it is, and which: `topic run-accepted`. */
  name: string;
  /** `wrong`: it is there and does not work. `unknown`: no answer came. */
  state: 'ok' | 'missing' | 'forbidden' | 'wrong' | 'unknown';
  /** What is known of it, or what to do. */
  detail: string;
}

export const APPLY = 'apply the Terraform configuration';

export function presence(name: string, isThere: boolean): ProjectFinding {
  return isThere ? { name, state: 'ok', detail: 'there' } : { name, state: 'missing', detail: APPLY };
}

/** Of what functions would name, and none does. */
export function nobodyNames(name: string): ProjectFinding {
  return { name, state: 'missing', detail: `no function says which; ${APPLY}` };
}

/** The one line for what cannot be looked at. */
export function unread(name: string, { state, detail }: NoAnswer): ProjectFinding[] {
  return [{ name, state, detail }];
}

/** The last part of a resource's name, which is its own. */
export function lastOf(name: string): string {
  return name.split('/').at(-1) ?? '';
}
