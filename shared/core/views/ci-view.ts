import type { CiView } from '../../messages/run-view.ts';
import type { Run } from '../run.ts';
import { isoTime } from './iso-time.ts';

/** What readers are told of CI: that the run waits for it, on which commit and since when, or which checks were red. */
export function ciView({ stage, heads, headAt, ci }: Run): CiView | undefined {
  if (ci === undefined || stage === 'succeeded' || stage === 'cancelled') return undefined;
  const isNewest = ci.head === heads.at(-1);
  if (ci.state !== 'red' && (stage !== 'awaiting_review' || !isNewest)) return undefined;
  return { ...ci, ...(isNewest && headAt !== undefined ? { since: isoTime(headAt) } : {}) };
}

/** The same as one sentence. */
export function ciText({ head, state, since, checks }: CiView): string {
  const commit = head.slice(0, 7);
  const names = checks.length === 0 ? '' : `: ${checks.join(', ')}`;
  if (state === 'red') return `CI was red on commit ${commit}${names}.`;
  const from = since === undefined ? '' : ` since ${since.slice(0, 16).replace('T', ' ')} UTC`;
  return state === 'expected'
    ? `Waits for CI to begin on commit ${commit}${from}.`
    : `Waits for CI on commit ${commit}${from}${names}.`;
}
