/** A chunk of a transcript is sent when it reaches this size … */
export const CHUNK_BYTES = 64 * 1024;
/** … or this age. */
export const CHUNK_AGE_MS = 2_000;
export const CHUNK_LINES = 2_000;
/** Longest model call, its provider's own retries included. */
export const MODEL_CALL_MS = 10 * 60_000;
/** Of one tool's result in the conversation, whatever the tool itself allows. */
export const MAX_TOOL_RESULT_CHARS = 60_000;
/** Of one tool's input in its transcript line; the turn before it has the whole. */
export const MAX_TOOL_INPUT_CHARS = 2_000;
/** Tool calls in one turn; more are answered with an error. */
export const MAX_CALLS_PER_TURN = 32;
/** Answers in a row that may be cut at the output limit and continued. */
export const MAX_CONTINUATIONS = 1;
/** Answers that may be sent back because they have the wrong shape. */
export const MAX_REPAIRS = 1;
/** The agent is told when this many turns are left. */
export const LAST_TURNS = 3;
/** A lease lives this many renewal intervals after its last renewal. */
export const LEASE_INTERVALS = 3;
/** Between tries of a renewal that did not get through. */
export const RENEW_RETRY_MS = 2_000;
/** Cloud Run kills a job 10 s after SIGTERM; what is left is for the last log and the finish. */
export const TERMINATION_MS = 7_000;
/** A larger workspace patch is checkpointed at most every {@link LARGE_CHECKPOINT_EVERY_MS}. */
export const LARGE_CHECKPOINT_BYTES = 256 * 1024;
export const LARGE_CHECKPOINT_EVERY_MS = 5 * 60_000;
