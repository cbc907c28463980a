import { attemptBrief, type AttemptBrief, type RenewAnswer } from '../../../shared/messages/attempt-api.ts';
import { transcriptLine, type TranscriptLine } from '../../../shared/messages/transcript-line.ts';
import type { Attempt } from '../../../shared/ports/attempt.ts';
import type { Model } from '../../../shared/ports/model.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';

export interface MemoryAttempt extends Attempt {
  /** What is durable, in order. */
  lines(): TranscriptLine[];
  readonly chunks: TranscriptLine[][];
  /** Answers of the next renewals; afterwards `continue`. */
  readonly renewals: (RenewAnswer | Error)[];
  readonly renewed: () => number;
  /** From now on the claim is gone. */
  lose(): void;
}

/** An attempt in memory that keeps what it is told, and refuses what the platform would refuse. */
export function createMemoryAttempt(brief: AttemptBrief, model: Model): MemoryAttempt {
  const chunks: TranscriptLine[][] = [];
  const renewals: (RenewAnswer | Error)[] = [];
  let renewed = 0;
  let isLost = false;
  const assertHeld = (): void => {
    if (isLost) throw new PenstockError('stale', 'the claim is gone');
  };
  return {
    brief,
    model,
    chunks,
    renewals,
    renewed: () => renewed,
    lines: () => chunks.flat(),
    lose: () => void (isLost = true),
    async renew() {
      renewed += 1;
      assertHeld();
      const answer = renewals.shift() ?? { answer: 'continue', messages: [] };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async log(n, lines) {
      assertHeld();
      if (n > chunks.length) throw new Error(`chunk ${n} came before chunk ${chunks.length}`);
      chunks[n] ??= lines.map((line) => transcriptLine.parse(structuredClone(line)));
    },
    propose: () => Promise.reject(new Error('nothing is proposed here')),
    async finish() {
      return isLost ? 'stale' : 'stored';
    },
    fetch: () => Promise.reject(new Error('there are no files here')),
    upload: () => Promise.reject(new Error('there are no files here')),
  };
}

export function briefFor(now: number, change: Partial<AttemptBrief> = {}): AttemptBrief {
  return attemptBrief.parse({
    v: 1,
    tenant: 'local',
    run: 'run1',
    task: 'api',
    generation: 1,
    kind: 'work',
    agent: 'backend_developer',
    title: 'Add priorities',
    requirement: 'Todos need a priority.',
    instructions: 'Add a field `priority`.',
    acceptance: ['the tests pass'],
    scope: ['src/**'],
    dependencies: [],
    contract: {},
    inputs: [],
    model: { id: 'script-1', provider: 'script', maxOutputTokens: 4_000 },
    limits: { turns: 20, wrapUpAt: now + 1_000_000, hardLimitAt: now + 2_000_000, renewEveryMs: 60_000 },
    ...change,
  });
}
