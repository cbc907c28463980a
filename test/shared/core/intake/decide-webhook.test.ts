import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decideWebhook, readPayload } from '../../../../shared/core/intake/decide-webhook.ts';
import { commented, labelled } from '../../../runtime/signed-webhook.ts';

const decide = (event: string, payload: unknown) => {
  const read = readPayload(payload);
  if (read === undefined) throw new Error('not a payload');
  return decideWebhook(event, read);
};

describe('What a webhook means', () => {
  it('takes the text behind a command into the requirement', () => {
    expect(decide('issue_comment', commented('/penstock run but keep the old API'))).toMatchObject({
      outcome: 'run',
      dryRun: false,
      requirement: 'Todos need a priority\n\nHigh, normal and low.\n\nbut keep the old API',
    });
  });

  it('takes `plan` for a dry run', () => {
    expect(decide('issue_comment', commented('/penstock plan'))).toMatchObject({
      outcome: 'run',
      dryRun: true,
    });
  });

  it('does not see a command inside a comment of HTML', () => {
    expect(decide('issue_comment', commented('<!-- /penstock run -->thanks')).outcome).toBe('ignored');
  });

  it('starts nothing unless action and actor are right, whatever else the payload says', () => {
    const anything = fc.record({
      event: fc.constantFrom('issues', 'issue_comment', 'pull_request', 'label', 'discussion', 'push'),
      action: fc.constantFrom(
        'labeled',
        'opened',
        'created',
        'edited',
        'deleted',
        'unlabeled',
        'reopened',
        'closed',
        'transferred',
      ),
      type: fc.constantFrom('User', 'Bot', undefined),
      login: fc.constantFrom('dana', 'penstock[bot]'),
      label: fc.constantFrom('penstock', 'bug'),
      body: fc.constantFrom('/penstock run', '/penstock plan', 'hello', '/penstock approve'),
      installed: fc.boolean(),
      pull: fc.boolean(),
    });
    fc.assert(
      fc.property(anything, ({ event, action, type, login, label, body, installed, pull }) => {
        const { outcome } = decide(event, {
          ...labelled({ action, label: { name: label }, sender: { login, type } }),
          comment: { body },
          ...(installed ? {} : { installation: undefined }),
          issue: {
            number: 1,
            title: 't',
            html_url: 'h',
            labels: [{ name: label }],
            ...(pull ? { pull_request: {} } : {}),
          },
        });
        const asked =
          event === 'issues'
            ? label === 'penstock' && (action === 'labeled' || action === 'opened')
            : event === 'issue_comment' &&
              action === 'created' &&
              !pull &&
              /^\/penstock (run|plan)$/.test(body);
        const mayStart = asked && installed && type !== 'Bot' && login === 'dana';
        expect(outcome === 'run').toBe(mayStart);
      }),
      { numRuns: 500 },
    );
  });

  it('reads what it can of a payload whose other fields have changed their shape', () => {
    expect(decide('issues', { ...labelled(), repositories: 'many', comment: 7 }).outcome).toBe('run');
    expect(decide('issues', { ...labelled(), issue: { number: 'seven' } }).outcome).toBe('ignored');
  });

  it.each([null, 7, 'text', [1]])('is nothing where the payload is no object: %j', (payload) => {
    expect(readPayload(payload)).toBeUndefined();
  });
});
