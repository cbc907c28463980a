import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openPullRequest } from '../../../../shared/core/integration/publish-pull-request.ts';
import type { CodeHost } from '../../../../shared/ports/code-host.ts';
import { startEngine, type Engine } from '../../../support/engine.ts';
import { runOf, taskOf } from '../../../support/records.ts';

const SECRET = `ghp_${'a1B2'.repeat(9)}`;
const integration = taskOf({ id: 'integrate-1', kind: 'integrate', state: 'succeeded' });

describe('the pull request of a run', () => {
  let engine: Engine;
  beforeEach(async () => {
    engine = await startEngine();
  });
  afterEach(() => engine.close());

  it('shows no secret and calls nobody in its title, which is text of others', async () => {
    const asked: { title: string; body: string }[] = [];
    const host: Partial<CodeHost> = {
      hasPullRequests: true,
      findPullRequest: () => Promise.resolve(undefined),
      createPullRequest: (_target, request) => {
        asked.push(request);
        return Promise.resolve({ number: 4, url: 'u', state: 'open', draft: true, headSha: 'b' });
      },
    };
    const ports = { ...engine.ports, codeHost: () => host as CodeHost };
    const run = runOf({ title: `Use ${SECRET} for @dana`, requirement: `Use ${SECRET}` });
    expect(await openPullRequest(ports, run, [], integration)).toMatchObject({ number: 4, ready: false });
    expect(asked).toMatchObject([{ title: 'Use [redacted: GitHub token] for @\u200Bdana' }]);
    expect(JSON.stringify(asked)).not.toContain(SECRET);
  });
});
