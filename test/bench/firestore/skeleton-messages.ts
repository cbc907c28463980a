export const DISPATCHED = 'dispatched';
export const FINISHED = 'finished';

/** Which of its two processes. */
export type Role = 'work' | 'follow';

/** `contract`: also what the cost contract lets a task of Penstock count, read and look for. */
export type Operations = 'bare' | 'contract';

/** What a process of a skeleton tells the bench. */
export type Told = { port: number } | { followed: string } | { failed: string };

/** As Pub/Sub pushes it; the data is a {@link Line}. */
export interface Push {
  message: { data: string };
}

/** The name of a task's document, and of those that wait for it one behind the other. */
export type Line = [task: string, ...behind: string[]];

export function toData(line: Line): Buffer {
  return Buffer.from(JSON.stringify(line));
}

export function fromData(data: string): Line {
  return JSON.parse(Buffer.from(data, 'base64').toString()) as Line;
}
