import type { AcceptedRun } from '../../messages/requirement-body.ts';
import type { Run } from '../run.ts';

/** What whoever asks for a run is answered. */
export function acceptedRunView({ run, duplicate }: { run: Run; duplicate: boolean }): AcceptedRun {
  const links = { run: `/api/runs/${run.id}`, page: `/runs/${run.id}`, events: `/api/runs/${run.id}/events` };
  return { runId: run.id, stage: run.stage, duplicate, links };
}
