import { describe, expect, it } from '@jest/globals';
import { graphLine } from '../../../../functions/cli/render/graph-line.ts';
import { createPaint } from '../../../../functions/cli/render/paint.ts';
import { taskLine } from '../../../../functions/cli/render/task-line.ts';
import { testStory } from '../../../../functions/cli/render/test-story.ts';
import { renderTimelineLine } from '../../../../functions/cli/render/timeline-line.ts';
import { changedLines, oneLine, safeText, usd } from '../../../../functions/cli/render/wording.ts';
import { aCheck, aTask, planned, ranTests, someLines } from '../../../support/run-views.ts';

const plain = createPaint(false);

describe('a timeline line', () => {
  it('has time, subject, text and outcome in columns', () => {
    const line = {
      kind: 'accepted' as const,
      atMs: 210,
      subject: 'webhook',
      text: 'issues.labeled, signature ok',
      outcome: 'run 7f3a accepted',
    };
    expect(renderTimelineLine(line, plain)).toBe(
      ' 0.2s  webhook     issues.labeled, signature ok        → run 7f3a accepted',
    );
  });

  it('begins below the text of the line before when it has no time', () => {
    expect(renderTimelineLine({ kind: 'graph', subject: '', text: 'a → b' }, plain)).toBe(
      `${' '.repeat(19)}a → b`,
    );
  });

  it('is coloured only when colours are wanted', () => {
    const line = { kind: 'end' as const, atMs: 0, subject: 'failed', text: 'budget', isBad: true };
    expect(renderTimelineLine(line, plain)).not.toContain('\u001b');
    expect(renderTimelineLine(line, createPaint(true))).toContain('\u001b[31mbudget');
  });
});

describe('the graph line', () => {
  it('shows what runs at the same time in one step', () => {
    const tasks = [
      planned('design'),
      planned('api', ['design']),
      planned('storage', ['design']),
      planned('tests', ['api', 'storage']),
      planned('docs', ['tests']),
    ];
    expect(graphLine(tasks)).toBe('design → api ∥ storage → tests → docs');
  });

  it('puts a task behind its last dependency, not its first', () => {
    expect(graphLine([planned('c', ['a', 'b']), planned('b', ['a']), planned('a')])).toBe('a → b → c');
  });

  it('stays short for a large plan', () => {
    const wide = graphLine(Array.from({ length: 200 }, (_, n) => planned(`t${n}`)));
    expect(wide).toBe('t0 ∥ t1 ∥ t2 ∥ t3 ∥ 196 more');
    const deep = graphLine(
      Array.from({ length: 200 }, (_, n) => planned(`t${n}`, n === 0 ? [] : [`t${n - 1}`])),
    );
    expect(deep).toMatch(/^t0 → .* → t8 → 191 more steps$/);
  });

  it('ends for a cycle', () => {
    expect(graphLine([planned('a'), planned('b', ['c']), planned('c', ['b'])])).toBe('a');
  });
});

describe('the story of the tests', () => {
  it('tells a red run and that it was fixed', () => {
    const lines = someLines([ranTests(false, '11 passed, 1 failed'), ranTests(true, '12 passed')]);
    expect(testStory(lines, [aCheck(true, '12 passed')])).toBe('tests 11 ok, 1 failing → fixed → 12 ok');
  });

  it('does not say fixed where the platform’s own check is red', () => {
    const lines = someLines([ranTests(true, '12 passed')]);
    expect(testStory(lines, [aCheck(false, '11 passed, 1 failed')])).toBe('tests 11 ok, 1 failing');
  });

  it('tells only the end where nothing failed', () => {
    const lines = someLines([ranTests(true, '11 passed'), ranTests(true, '12 passed')]);
    expect(testStory(lines, [])).toBe('tests 12 ok');
  });

  it('says nothing where no test ran, and nothing of a test run that was denied', () => {
    const denied = { ...ranTests(false, ''), allowed: false, summary: 'denied' } as ReturnType<
      typeof ranTests
    >;
    expect(
      testStory(someLines([{ kind: 'note', text: 'No checks were run' }, denied]), [aCheck(false, '', '')]),
    ).toBe('');
  });

  it('leaves out checks of the files as they were before the changes', () => {
    const lines = someLines([
      { kind: 'note', text: 'Checks of the files as they were before the changes:' },
      { kind: 'checks', results: [aCheck(false, '9 passed, 3 failed')] },
    ]);
    expect(testStory(lines, [aCheck(true, '12 passed')])).toBe('tests 12 ok');
  });

  it('knows a runner that it does not understand only by its exit code', () => {
    expect(testStory(someLines([ranTests(false, 'exit code 1')]), [aCheck(true, '')])).toBe(
      'tests failing → fixed → ok',
    );
  });

  it('does not call a run green that passed every test and failed all the same', () => {
    expect(testStory([], [aCheck(false, '12 passed')])).toBe('tests 12 ok, but a command failed');
  });
});

describe('the line of a task', () => {
  it('says who changed how much, and in which attempt', () => {
    const task = aTask({
      id: 'api',
      changeSet: { files: 2, added: 38, deleted: 4 },
      checks: [aCheck(true, '12 passed')],
    });
    expect(taskLine(task, []).text).toBe('backend_developer   job        +38 −4     tests 12 ok');
  });

  it('says why it failed', () => {
    const history = [
      { seq: 0, at: '2026-11-20T10:00:00.000Z', state: 'failed', by: 'api/3', note: 'checks_red: 1 failed' },
    ];
    const line = taskLine(aTask({ id: 'api', state: 'failed', history }), []);
    expect(line).toMatchObject({
      isBad: true,
      text: 'backend_developer   job        failed: checks_red: 1 failed',
    });
  });

  it('counts the change sets of an integration by the checks after each', () => {
    const green = { kind: 'checks' as const, results: [aCheck(true, '12 passed')] };
    const red = { kind: 'checks' as const, results: [aCheck(false, '1 failed')] };
    const task = aTask({ id: 'integrate-1', kind: 'integrate' });
    expect(taskLine(task, someLines([green, green, green])).text).toBe(
      '3 change sets, checks after each: ok',
    );
    expect(taskLine(task, someLines([red, green])).text).toBe('2 change sets, checks after each: 1 of 2 ok');
  });

  it('does not call an integration without any check green', () => {
    const none = { kind: 'checks' as const, results: [aCheck(false, 'none', '')] };
    expect(taskLine(aTask({ id: 'integrate-1', kind: 'integrate' }), someLines([none])).text).toContain(
      '0 of 1 ok',
    );
  });

  it('tells the verdict of a review', () => {
    const review = {
      verdict: 'request_changes' as const,
      summary: 'no',
      remarks: [
        { path: null, text: 'a' },
        { path: 'b', text: 'b' },
      ],
    };
    expect(
      taskLine(aTask({ id: 'review', kind: 'review', agent: 'code_reviewer', review }), []),
    ).toMatchObject({
      isBad: true,
      text: 'code_reviewer       changes requested, 2 remarks',
    });
  });
});

describe('wording', () => {
  it('keeps what a model wrote from steering the terminal', () => {
    expect(oneLine('red \u001b[31m\u001b]0;title\u0007\nnext\u202e', 80)).toBe('red [31m ]0;title next');
    expect(safeText('a\n\tb\u001b[2J\r')).toBe('a\n\tb[2J');
  });

  it('cuts a long line', () => expect(oneLine('x'.repeat(20), 10)).toBe(`${'x'.repeat(9)}…`));

  it('shows small sums with more places', () => {
    expect([usd(410_000), usd(1_234), usd(0)]).toEqual(['$0.41', '$0.0012', '$0.00']);
  });

  it('leaves out the side of a change that is nothing', () => {
    expect([
      changedLines({ added: 40, deleted: 0 }),
      changedLines({ added: 0, deleted: 3 }),
      changedLines({ added: 0, deleted: 0 }),
    ]).toEqual(['+40', '−3', '+0']);
  });
});
