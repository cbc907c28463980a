export const DISPATCHED = 'dispatched';
export const FINISHED = 'finished';

/** Which of its two processes. */
export type Role = 'work' | 'follow';

/** What a process of a skeleton tells the bench. */
export type Told = { port: number } | { followed: string } | { failed: string };

/** As Pub/Sub pushes it; the data is the name of a task's document. */
export interface Push {
  message: { data: string };
}
