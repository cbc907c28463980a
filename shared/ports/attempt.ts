import type {
  AttemptBrief,
  AttemptResultInput,
  Proposal,
  ProposalAnswer,
  RenewAnswer,
} from '../messages/attempt-api.ts';
import type { TranscriptLine } from '../messages/transcript-line.ts';
import type { Model } from './model.ts';

/**
 * The whole world of a worker: what a running attempt may ask the platform.
 * Every call but `fetch` and `upload` throws `stale` once the attempt no longer holds its generation and claim: stop at once, nothing is stored any more.
 */
export interface Attempt {
  readonly brief: AttemptBrief;
  /** Metered: `answer` throws `budget` before a call that the allotment cannot pay. */
  readonly model: Model;
  /** What was said to the run comes once, also where an answer was lost on the way. */
  renew(): Promise<RenewAnswer>;
  /** Durable when it resolves. Chunks are numbered by the caller from 0. */
  log(n: number, lines: TranscriptLine[]): Promise<void>;
  propose(proposal: Proposal): Promise<ProposalAnswer>;
  finish(result: AttemptResultInput): Promise<'stored' | 'stale'>;
  /** Bytes behind a signed URL of the brief. */
  fetch(url: string): Promise<Uint8Array>;
  /** Bytes to a signed URL of `propose`. */
  upload(url: string, bytes: Uint8Array): Promise<void>;
}
