import type { RunView } from '../../../shared/messages/run-view.ts';
import type { StandInRun } from '../../support/api-stand-in.ts';
import {
  aCheck,
  aCost,
  anAttempt,
  aPlan,
  aRun,
  aTask,
  planned,
  ranTests,
  someEvents,
  someLines,
  timeAt,
} from '../../support/run-views.ts';

const plan = {
  hash: 'a'.repeat(64),
  summary: 'Two modules in parallel.',
  tasks: 3,
  parallel: 2,
  estimateMicroUsd: 410_000,
  filesRead: 14,
};

/** A run of three tasks on a checkout, with a retry and a test that failed on the way, integrated and reviewed. */
export function finishedRun(id = '7f3a', change: Partial<RunView> = {}): StandInRun {
  const green = { kind: 'checks' as const, results: [aCheck(true, '12 passed')] };
  return {
    run: aRun({
      id,
      stage: 'succeeded',
      plan,
      headSha: '9f'.repeat(20),
      diffStat: { files: 5, added: 59, deleted: 6 },
      endedAt: timeAt(14.6),
      ...change,
    }),
    plan: aPlan([planned('design'), planned('api', ['design']), planned('storage', ['design'])]),
    cost: aCost(),
    tasks: [
      aTask({ id: 'plan', kind: 'plan', agent: 'project_architect', lane: 'function' }),
      aTask({ id: 'design', agent: 'project_architect', lane: 'function', summary: 'The specification' }),
      aTask({
        id: 'api',
        changeSet: { files: 2, added: 38, deleted: 4 },
        checks: [aCheck(true, '12 passed')],
      }),
      aTask({
        id: 'storage',
        changeSet: { files: 3, added: 21, deleted: 2 },
        checks: [aCheck(true, '12 passed')],
        attempts: [
          anAttempt(1, { outcome: 'lost', code: 'lost', message: 'its worker is gone' }),
          anAttempt(2),
        ],
      }),
      aTask({ id: 'integrate-1', kind: 'integrate', agent: 'integrator' }),
      aTask({
        id: 'review',
        kind: 'review',
        agent: 'code_reviewer',
        lane: 'function',
        review: { verdict: 'approve', summary: 'good', remarks: [{ path: 'a.js', text: 'a name' }] },
      }),
    ],
    transcripts: {
      'storage/1': someLines([{ kind: 'note', text: 'the first attempt' }]),
      'storage/2': someLines([
        { kind: 'turn', turn: { role: 'assistant', blocks: [{ type: 'text', text: 'I add a field.' }] } },
        ranTests(false, '11 passed, 1 failed'),
        ranTests(true, '12 passed'),
        { kind: 'checks', results: [aCheck(true, '12 passed')] },
      ]),
      'integrate-1/1': someLines([green, green]),
    },
    events: someEvents(id, [
      { at: 0, state: 'accepted', by: 'cli' },
      { at: 0.1, state: 'planning' },
      { at: 0.8, task: 'plan', state: 'succeeded', by: 'plan/1' },
      { at: 0.9, state: 'executing' },
      { at: 3, task: 'design', state: 'succeeded', by: 'design/1' },
      { at: 5, task: 'api', state: 'succeeded', by: 'api/1' },
      { at: 5.5, task: 'storage', state: 'pending', by: 'storage/1', note: 'lost: its worker is gone' },
      { at: 6.3, task: 'storage', state: 'succeeded', by: 'storage/2' },
      { at: 7, state: 'integrating' },
      { at: 13.2, task: 'integrate-1', state: 'succeeded', by: 'integrate-1/1' },
      { at: 13.3, state: 'awaiting_review' },
      { at: 14, task: 'review', state: 'succeeded', by: 'review/1' },
      { at: 14.6, state: 'succeeded' },
    ]),
  };
}

export function failedRun(): StandInRun {
  const reason = { code: 'checks_red', message: 'task api failed after 3 attempts: 1 test is red' };
  const tasks = [
    aTask({
      id: 'api',
      state: 'failed',
      attempts: [anAttempt(1, { outcome: 'failed', code: 'checks_red', message: '1 test is red' })],
    }),
  ];
  const events = someEvents('7f3a', [
    { at: 0, state: 'accepted' },
    { at: 1, state: 'executing' },
    { at: 4, task: 'api', state: 'failed', note: 'checks_red: 1 test is red' },
    { at: 4.1, state: 'failed', note: reason.message },
  ]);
  return {
    run: aRun({ id: '7f3a', stage: 'failed', reason, endedAt: timeAt(4.1) }),
    tasks,
    cost: aCost(),
    events,
  };
}

export function cancelledRun(): StandInRun {
  const reason = { code: 'cancelled', message: 'cancelled by local' };
  return endedEarly('cancelled', reason);
}

export function unapprovedRun(): StandInRun {
  const reason = { code: 'approval_required', message: 'the plan of 30 tasks needs a person' };
  return endedEarly('failed', reason);
}

/** A stream that stays open after its last event would hang whoever does not notice that a person is asked. */
export function waitingRun(): StandInRun {
  const events = someEvents('7f3a', [
    { at: 0, state: 'accepted' },
    { at: 2, state: 'awaiting_approval' },
  ]);
  return { run: aRun({ id: '7f3a', stage: 'awaiting_approval' }), tasks: [], cost: aCost(), events };
}

function endedEarly(stage: 'failed' | 'cancelled', reason: { code: string; message: string }): StandInRun {
  const events = someEvents('7f3a', [
    { at: 0, state: 'accepted' },
    { at: 2, state: stage, note: reason.message },
  ]);
  return { run: aRun({ id: '7f3a', stage, reason, endedAt: timeAt(2) }), tasks: [], cost: aCost(), events };
}
