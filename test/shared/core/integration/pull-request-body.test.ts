import { describe, expect, it } from '@jest/globals';
import {
  checksText,
  MAX_BODY_CHARS,
  marker,
  pullRequestBody,
} from '../../../../shared/core/integration/pull-request-body.ts';
import { attemptOf, runOf, taskOf } from '../../../support/records.ts';
import { publicText } from '../../../../shared/core/public-text.ts';

const check = {
  command: 'npm test',
  exitCode: 0,
  passed: true,
  summary: '12 passed',
  outputTail: '',
  durationMs: 1,
};
const result = { summary: 'Added a priority', checks: [check], filesRead: 0 };
const spent = attemptOf({ meter: { ...attemptOf().meter, spentMicroUsd: 123_400 } });
const integration = taskOf({ id: 'integrate-1', kind: 'integrate', state: 'succeeded', result });
const api = taskOf({
  state: 'succeeded',
  attempts: [spent],
  result: { ...result, changeSet: { key: 'k', sha256: 's', files: 1, added: 38, deleted: 4 } },
});

describe('the text of a pull request', () => {
  it('says what was asked, what each task did, what the checks said and what it cost', () => {
    const run = runOf({
      requirement: 'Please\nadd it.',
      origin: { kind: 'github', actor: 'x', issue: { number: 7, url: 'u' } },
    });
    const body = pullRequestBody(run, [api, integration], integration);
    expect(body).toContain('> Please\n> add it.');
    expect(body).toContain('- **api** · backend_developer (+38 −4): Added a priority');
    expect(body).toContain('- `npm test` passed: 12 passed');
    expect(body).toContain('The assessment agents have not finished yet.');
    expect(body).toContain('$0.1234 of $2.00');
    expect(body).toMatch(/\n\nCloses #7\n\n<!-- penstock:run:run1 -->$/);
  });

  it('tells verdicts with their remarks', () => {
    const review = {
      verdict: 'request_changes' as const,
      summary: 'Not yet.',
      remarks: [
        { path: 'a.ts', text: 'no test' },
        { path: null, text: 'be brief' },
      ],
    };
    const judged = taskOf({
      id: 'review',
      kind: 'review',
      agent: 'code_reviewer',
      state: 'succeeded',
      result: { ...result, review },
    });
    const body = pullRequestBody(runOf(), [api, judged], integration);
    expect(body).toContain(
      '- **code_reviewer**: request changes. Not yet.\n  - `a.ts`: no test\n  - be brief',
    );
  });

  it('never says that a check passed which did not, or that checks ran where there are none', () => {
    expect(checksText([{ ...check, passed: false, exitCode: 1 }])).toBe(
      '- `npm test` failed (exit code 1): 12 passed',
    );
    expect(checksText([{ ...check, passed: false, exitCode: null, summary: '' }])).toBe(
      '- `npm test` failed (exit code none)',
    );
    expect(checksText([])).toBe('No checks were run.');
  });

  it('calls nobody, closes nothing and hides nothing in the name of others', () => {
    const text = publicText(
      '@dana and (@acme/team) fixes #12, Closes: acme/todo#3, resolved #9 <!-- penstock:run:other --> a@b.c',
    );
    expect(text).not.toMatch(/(^|[^\w])@[A-Za-z]/);
    expect(text).not.toMatch(/(fix(es)?|closes:?|resolved) \S*#\d/i);
    expect(text).not.toContain('<!--');
    expect(text).toContain('a@b.c');
  });

  it('keeps what was asked from closing issues, hiding text, leaking a secret or growing too long', () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`;
    const requirement = `closes #99 <!-- ${marker({ id: 'other' })} --> ${secret}`;
    const many = Array.from({ length: 300 }, (_, n) =>
      taskOf({ id: `t${n}`, state: 'succeeded', result: { ...result, summary: 'x'.repeat(400) } }),
    );
    const body = pullRequestBody(runOf({ requirement }), many, integration);
    expect(body).not.toMatch(/closes #99/i);
    expect(body).not.toContain(secret);
    expect(body.match(/<!--/g)).toHaveLength(1);
    expect(body.endsWith(marker({ id: 'run1' }))).toBe(true);
    expect(body.length).toBeLessThan(MAX_BODY_CHARS + 200);
  });
});
