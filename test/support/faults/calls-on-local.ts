import type { CallsOfARun } from './calls-of-a-run.ts';

const JOB = {
  'POST /internal/attempts/claim': 1,
  'POST /internal/attempts/renew': 3,
  'POST /internal/attempts/log': 2,
  'POST /internal/attempts/propose': 2,
  'POST /internal/attempts/finish': 1,
  'spawn bwrap': 3,
  'spawn git': 37,
};

const JOBS: CallsOfARun = {
  'job fix/1': {
    ...JOB,
    'POST /internal/attempts/renew': 5,
    'POST /internal/attempts/log': 10,
    'POST /internal/attempts/propose': 4,
    'POST /internal/attempts/model/v1/messages': 6,
    'PUT /blobs/local/uploads/*/fix/*/*': 3,
    'spawn bwrap': 5,
    'spawn git': 40,
  },
  'job integrate-1/1': {
    ...JOB,
    'GET /blobs/local/artifacts/*/fix/*/change-set.json': 1,
    'PUT /blobs/local/uploads/*/*/*/*': 1,
  },
};

const GITHUB = {
  'POST /app/installations/*/access_tokens': 4,
  'GET /repos/acme/sums': 1,
  'GET /repos/acme/sums/collaborators/dana/permission': 1,
  'GET /repos/acme/sums/git/ref/*': 2,
  'GET /repos/acme/sums/git/trees/*': 1,
  'GET /repos/acme/sums/git/blobs/*': 1,
  'GET /repos/acme/sums/git/commits/*': 1,
  'GET /repos/acme/sums/issues/*/comments': 1,
  'POST /repos/acme/sums/issues/*/comments': 1,
  'PATCH /repos/acme/sums/issues/comments/*': 4,
  'POST /repos/acme/sums/git/blobs': 1,
  'POST /repos/acme/sums/git/trees': 1,
  'POST /repos/acme/sums/git/commits': 1,
  'POST /repos/acme/sums/git/refs': 1,
  'GET /repos/acme/sums/pulls': 1,
  'POST /repos/acme/sums/pulls': 1,
  'GET /repos/acme/sums/pulls/*': 1,
  'PATCH /repos/acme/sums/pulls/*': 1,
  'GET /repos/acme/sums/compare/*': 1,
  'GET /repos/acme/sums/commits/*/check-runs': 3,
  'GET /repos/acme/sums/commits/*/check-suites': 2,
  'GET /repos/acme/sums/commits/*/status': 2,
  'POST /repos/acme/sums/check-runs': 1,
  'PATCH /repos/acme/sums/check-runs/*': 2,
  'POST /graphql': 1,
};

/** What one run makes of calls in local mode. */
export const CALLS_ON_LOCAL: CallsOfARun = {
  host: {
    // Most of these are the sweep's.
    'store.query': 200,
    'store.get': 130,
    'store.getMany': 12,
    'store.count': 7,
    'store.commit': 75,
    'queue.publish': 17,
    'blobs.put': 24,
    'blobs.get': 8,
    'blobs.signUrl': 5,
    'jobs.start': 2,
    'model.countTokens': 3,
    'model.answer': 3,
    'codeHost.permission': 1,
    'codeHost.defaultBranch': 1,
    'codeHost.readBranch': 2,
    'codeHost.readFile': 1,
    'codeHost.readTree': 2,
    'codeHost.cloneAccess': 2,
    'codeHost.writeCommit': 1,
    'codeHost.createBranch': 1,
    'codeHost.findPullRequest': 1,
    'codeHost.createPullRequest': 1,
    'codeHost.updatePullRequest': 1,
    'codeHost.markReady': 1,
    'codeHost.diff': 1,
    'codeHost.findComment': 1,
    'codeHost.createComment': 1,
    'codeHost.updateComment': 4,
    'codeHost.findCheckRun': 1,
    'codeHost.createCheckRun': 1,
    'codeHost.updateCheckRun': 2,
    'codeHost.readCi': 2,
    'POST /v1/messages/count_tokens': 9,
    'POST /v1/messages': 9,
    ...GITHUB,
  },
  ...JOBS,
};

/** What one run makes of calls besides, where a workflow drives it. */
export const DRIVEN_ON_LOCAL: CallsOfARun = {
  host: {
    'store.get': 170,
    'store.commit': 90,
    'queue.publish': 20,
    'codeHost.readCi': 3,
    'workflows.start': 1,
    'workflows.wake': 5,
    'POST /internal/runs/*/claim': 1,
    'GET /internal/runs/*': 9,
    'POST /internal/runs/*/stages/plan': 1,
    'POST /internal/runs/*/stages/execute': 1,
    'POST /internal/runs/*/stages/integrate': 1,
    'POST /internal/runs/*/stages/review': 1,
    'POST /internal/runs/*/stages/close': 1,
  },
};
