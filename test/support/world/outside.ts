import { modelById } from '../../../shared/core/models/model-table.ts';
import { priceOf } from '../../../shared/core/models/price.ts';
import type { CodeHost } from '../../../shared/ports/code-host.ts';
import type { Model } from '../../../shared/ports/model.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { createSpendingModel } from '../spending-model.ts';
import type { Guard } from './process.ts';
import type { World } from './world.ts';

/** Serves a call for all or half of what was set aside, or refuses it, or breaks off; what is served is billed at once. */
export function billedModel(world: World, guard: Guard): Model {
  const model = createSpendingModel();
  return {
    ...model,
    answer: (request) =>
      guard(async () => {
        const luck = world.given.isCalm ? 0.5 : world.ids.fraction();
        if (luck < 0.02) throw new PenstockError('rate_limited', 'too many calls', { retry: 'later' });
        const answer = await model.answer(request);
        const output = Math.ceil(answer.usage.output * (luck < 0.5 ? 1 : luck));
        const usage = { ...answer.usage, output };
        world.billedMicroUsd += priceOf(usage, modelById(request.model));
        if (luck > 0.98)
          throw new PenstockError('unavailable', 'broken off', { retry: 'later', mayHaveCounted: true });
        return { ...answer, usage };
      }),
  };
}

const refused = (): Promise<never> =>
  Promise.reject(new PenstockError('invalid', 'this world has an empty repository and nothing else'));

/** A repository with one commit and no file; nothing here writes to it. */
export const emptyHost: CodeHost = {
  host: 'local-git',
  hasPullRequests: false,
  defaultBranch: () => Promise.resolve('main'),
  readBranch: () => Promise.resolve('a'.repeat(40)),
  readCommit: () => Promise.resolve({ sha: 'a'.repeat(40), parents: [], message: 'first' }),
  readTree: () => Promise.resolve({ entries: [], truncated: false }),
  readFile: () => Promise.resolve(undefined),
  permission: () => Promise.resolve('write'),
  readThread: () => Promise.resolve(undefined),
  diff: () => Promise.resolve(''),
  cloneAccess: ({ repository }) => Promise.resolve({ url: repository }),
  writeCommit: refused,
  createBranch: refused,
  advanceBranch: refused,
  findPullRequest: refused,
  createPullRequest: refused,
  updatePullRequest: refused,
  markReady: refused,
  findComment: refused,
  createComment: refused,
  updateComment: refused,
  findCheckRun: refused,
  createCheckRun: refused,
  updateCheckRun: refused,
  readCi: () => Promise.resolve({ state: 'none', failures: [], pending: [] }),
};
