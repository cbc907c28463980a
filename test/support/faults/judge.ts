import type { Github } from '../github/github-driver.ts';
import { judgeOutside } from './judge-outside.ts';
import { judgeRecords, type Records, taskText } from './judge-records.ts';
import type { Provider } from './provider.ts';
import type { Schedule } from './schedule.ts';

export interface Verdict {
  /** Empty: all is as it must be. */
  problems: string[];
  /** For people: what was found. */
  facts: string[];
}

/** All that a run left behind. */
export interface Evidence {
  schedule: Schedule;
  github: Github;
  repository: string;
  issue: number;
  provider: Pick<Provider, 'ledger'>;
  records: Records;
  /** What of the system still runs. */
  stragglers: string[];
}

/** Judges by the stand-in, by git and by the provider's own bill, and only then by the platform's records. */
export async function judge(evidence: Evidence): Promise<Verdict> {
  const { records, schedule, provider, stragglers } = evidence;
  const [run] = records.runs;
  const outside =
    run === undefined
      ? []
      : await judgeOutside({ ...evidence, run: run.id, hasSucceeded: run.stage === 'succeeded' });
  return {
    problems: [...outside, ...judgeRecords(records, schedule.faults, provider.ledger), ...stragglers],
    facts: records.tasks.map(taskText),
  };
}
