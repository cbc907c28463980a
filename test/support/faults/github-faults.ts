import type { Fault as StandInFault } from '../github/calls.ts';
import type { Github } from '../github/github-driver.ts';
import type { Fault, GithubFault } from './fault.ts';

/** Requests of a run that GitHub may answer with a failure, and how often a run makes each. */
export const GITHUB_ROUTES = {
  'POST access_tokens': { method: 'POST', path: /\/access_tokens$/, times: 3 },
  'GET permission': { method: 'GET', path: /\/permission$/, times: 1 },
  'GET repository': { method: 'GET', path: /\/repos\/[^/]+\/[^/]+$/, times: 1 },
  'GET ref': { method: 'GET', path: /\/git\/ref\//, times: 2 },
  'GET tree': { method: 'GET', path: /\/git\/trees\//, times: 2 },
  'GET blob': { method: 'GET', path: /\/git\/blobs\//, times: 1 },
  'GET commit': { method: 'GET', path: /\/git\/commits\//, times: 1 },
  'GET clone': { method: 'GET', path: /\.git\/info\/refs$/, times: 2 },
  'POST clone': { method: 'POST', path: /\.git\/git-upload-pack$/, times: 2 },
  'GET comments': { method: 'GET', path: /\/issues\/\d+\/comments$/, times: 1 },
  'POST comment': { method: 'POST', path: /\/issues\/\d+\/comments$/, times: 1 },
  'PATCH comment': { method: 'PATCH', path: /\/issues\/comments\/\d+$/, times: 4 },
  'POST blob': { method: 'POST', path: /\/git\/blobs$/, times: 1 },
  'POST tree': { method: 'POST', path: /\/git\/trees$/, times: 1 },
  'POST commit': { method: 'POST', path: /\/git\/commits$/, times: 1 },
  'POST ref': { method: 'POST', path: /\/git\/refs$/, times: 1 },
  'GET pulls': { method: 'GET', path: /\/pulls$/, times: 1 },
  'GET pull': { method: 'GET', path: /\/pulls\/\d+$/, times: 1 },
  'POST pull': { method: 'POST', path: /\/pulls$/, times: 1 },
  'PATCH pull': { method: 'PATCH', path: /\/pulls\/\d+$/, times: 1 },
  'GET compare': { method: 'GET', path: /\/compare\//, times: 1 },
  'POST graphql': { method: 'POST', path: /\/graphql$/, times: 1 },
  'GET check-runs': { method: 'GET', path: /\/check-runs$/, times: 3 },
  'GET check-suites': { method: 'GET', path: /\/check-suites$/, times: 2 },
  'GET status': { method: 'GET', path: /\/commits\/[^/]+\/status$/, times: 2 },
  'POST check-run': { method: 'POST', path: /\/check-runs$/, times: 1 },
  'PATCH check-run': { method: 'PATCH', path: /\/check-runs\/\d+$/, times: 2 },
} as const;
export type GithubRoute = keyof typeof GITHUB_ROUTES;

const ANSWERS: Record<GithubFault, Pick<StandInFault, 'status' | 'applied' | 'headers' | 'body'>> = {
  limit: {
    status: 403,
    applied: false,
    headers: { 'retry-after': '1' },
    body: {
      message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    },
  },
  unavailable: { status: 502, applied: false },
  lost: { status: 502, applied: true },
};

/** Tells the stand-in what to do to whom, and gives what of it came to pass. */
export function armGithub(github: Github, faults: readonly Fault[]): ReadonlySet<Fault> {
  const fired = new Set<Fault>();
  for (const fault of faults) {
    if (fault.kind !== 'github') continue;
    const { method, path } = GITHUB_ROUTES[fault.route];
    github.failNext({
      match: { method, path },
      skip: fault.nth - 1,
      ...ANSWERS[fault.how],
      // git is told of a limit so; 403 means there that the repository may not be read.
      ...(fault.how === 'limit' && fault.route.endsWith('clone') ? { status: 429 } : {}),
      onFail: () => void fired.add(fault),
    });
  }
  return fired;
}
