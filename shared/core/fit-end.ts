import { MAX_DOCUMENT_BYTES } from '../ports/store.ts';
import { cutText, storedBytes } from './intake/sanitise-text.ts';
import { MAX_ATTEMPTS, type Task, type TaskAttempt, type TaskResult } from './task.ts';

/** What attempts, their ends and their history take of a task's record: kept free when the task is made, so that there is room for them. */
const ROOM_FOR_ATTEMPTS_BYTES = 40 * 1024;
/** A task as it is planned or delegated, with its edges, as UTF-8 bytes of JSON. */
export const MAX_TASK_BYTES = MAX_DOCUMENT_BYTES - ROOM_FOR_ATTEMPTS_BYTES;
/** What all failed attempts of a task say of their ends. */
const MAX_MESSAGES_BYTES = 16 * 1024;
const MIN_MESSAGE_BYTES = MAX_MESSAGES_BYTES / MAX_ATTEMPTS / 4;
/** For the little that is still written when an attempt has ended: a hold, an edge less, one entry of its history. */
const SPARE_BYTES = 2 * 1024;
const MAX_END_BYTES = MAX_DOCUMENT_BYTES - SPARE_BYTES;
const LEFT_OUT = 'what was said is left out: the record of the task is full';
const CUT_HERE = '\n\n[The rest of these instructions is left out: the record of the task is full.]';
/** Of each text that has to stay where all others are left out. */
const MAX_REST_BYTES = 200;

/** How much the next failed attempt may say: at most half of what those before it have left, so that all together never take more than their share. */
export function messageBytes({ attempts }: Pick<Task, 'attempts'>): number {
  const said = attempts.reduce((sum, { exit }) => sum + storedBytes(exit?.message ?? ''), 0);
  return Math.max(MIN_MESSAGE_BYTES, Math.floor((MAX_MESSAGES_BYTES - said) / 2));
}

/** A task whose attempt has just ended, as it can be stored: an end is written with less text, or with none, rather than never. */
export function fitEnd(task: Task): Task {
  let fitted = task;
  for (const fit of [cutResult, leaveOutTexts, cutInstructions]) {
    if (storedBytes(fitted) <= MAX_END_BYTES) break;
    fitted = fit(fitted);
  }
  return fitted;
}

/** What a reviewer remarked and what checks printed gets what room there is; every verdict stays. */
function cutResult(task: Task): Task {
  const { result } = task;
  if (result === undefined) return task;
  const texts = textsOf(result);
  // A remark takes more than its text.
  const remarksOfOne = texts.remarks.map(() => '-');
  const bare = { ...task, result: withTexts(result, { remarks: remarksOfOne, failed: [], passed: [] }) };
  let room = MAX_END_BYTES - storedBytes(bare);
  // Those of the checks that failed go before what passed says.
  const share = (group: string[], cut: (text: string, bytes: number) => string): string[] => {
    const cuts = shared(group, room, cut);
    room -= cuts.reduce((sum, text) => sum + storedBytes(text), 0);
    return cuts;
  };
  const remarks = share(texts.remarks, (text, bytes) => cutText(text, text.length, bytes));
  const failed = share(texts.failed, cutStart);
  return { ...task, result: withTexts(result, { remarks, failed, passed: share(texts.passed, cutStart) }) };
}

/** Those of a result that may be long. */
interface Texts {
  remarks: string[];
  failed: string[];
  passed: string[];
}

function textsOf({ review, checks }: TaskResult): Texts {
  const tails = (passed: boolean) =>
    checks.filter((check) => check.passed === passed).map(({ outputTail }) => outputTail);
  return {
    remarks: (review?.remarks ?? []).map(({ text }) => text),
    failed: tails(false),
    passed: tails(true),
  };
}

/** With these texts in the places of its own; a remark without any is none. */
function withTexts(result: TaskResult, { remarks, failed, passed }: Texts): TaskResult {
  const tails = { failed: failed.values(), passed: passed.values() };
  const checks = result.checks.map((check) => ({
    ...check,
    outputTail: tails[check.passed ? 'passed' : 'failed'].next().value ?? '',
  }));
  if (result.review === undefined) return { ...result, checks };
  const said = result.review.remarks.map((remark, index) => ({ ...remark, text: remarks[index] ?? '' }));
  return { ...result, checks, review: { ...result.review, remarks: said.filter(({ text }) => text !== '') } };
}

/** The texts as they have room together: evenly, and what a short one does not need is for the longer ones. */
function shared(texts: string[], bytes: number, cut: (text: string, bytes: number) => string): string[] {
  const cuts = [...texts];
  const shortestFirst = texts
    .map((text, index) => ({ text, index, size: storedBytes(text) }))
    .toSorted((a, b) => a.size - b.size);
  let left = bytes;
  for (const [done, { text, index, size }] of shortestFirst.entries()) {
    const share = Math.max(0, Math.floor(left / (texts.length - done)));
    const kept = size <= share ? text : share < MAX_REST_BYTES ? '' : cut(text, share);
    cuts[index] = kept;
    left -= storedBytes(kept);
  }
  return cuts;
}

/** The end of a text: what a check printed last says most. */
function cutStart(text: string, maxBytes: number): string {
  let cut = text;
  for (let bytes = storedBytes(cut); bytes > maxBytes; bytes = storedBytes(cut)) {
    cut = cut.slice(cut.length - Math.floor((cut.length * maxBytes) / bytes)).replace(/^[\uDC00-\uDFFF]/, '');
  }
  return cut;
}

/** Only what is decided by, and where to find the rest. */
function leaveOutTexts(task: Task): Task {
  const { result, ...rest } = task;
  const brief = (text: string) => cutText(text, text.length, MAX_REST_BYTES);
  const attempts = task.attempts.map(({ exit, ...attempt }): TaskAttempt => {
    if (exit?.message === undefined) return exit === undefined ? attempt : { ...attempt, exit };
    return { ...attempt, exit: { ...exit, message: LEFT_OUT } };
  });
  if (result === undefined) return { ...rest, attempts };
  const { review } = result;
  return {
    ...rest,
    attempts,
    result: {
      ...result,
      summary: brief(result.summary),
      checks: result.checks.map((check) => ({
        ...check,
        command: brief(check.command),
        summary: brief(check.summary),
        outputTail: '',
      })),
      ...(review === undefined ? {} : { review: { ...review, summary: brief(review.summary), remarks: [] } }),
    },
  };
}

/** Of a task from before there was a limit to it, as much as has to go; its next attempt, if there is one, reads so. */
function cutInstructions(task: Task): Task {
  const { instructions } = task;
  const excess = storedBytes(task) - MAX_END_BYTES;
  const room = Math.max(storedBytes(''), storedBytes(instructions) - excess - storedBytes(CUT_HERE));
  return { ...task, instructions: `${cutText(instructions, instructions.length, room)}${CUT_HERE}` };
}
