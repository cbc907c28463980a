import type { CiEvidence, CodeHost } from '../../ports/code-host.ts';
import { MAX_PATHS } from '../prepare-target.ts';
import type { Run, Target } from '../run.ts';
import type { Task } from '../task.ts';
import type { IntegrationPorts } from './integration-ports.ts';

/** CI of a run's newest head, as it was found. */
export interface CiReading {
  evidence: CiEvidence;
  /** When the head was published. */
  since: number;
  now: number;
  /** Nobody has said anything, and it is early, but the repository has CI. */
  isExpected: boolean;
}

/** What CI says about the newest head of a run that is to be judged; `undefined`, and nobody is asked, for any other. */
export async function readCi(
  ports: Pick<IntegrationPorts, 'codeHost' | 'clock' | 'policy'>,
  run: Run,
  tasks: readonly Task[],
): Promise<CiReading | undefined> {
  const [target] = run.targets;
  const head = run.heads.at(-1);
  const isJudged = run.stage === 'awaiting_review' && tasks.every((task) => !task.live);
  if (!isJudged || target === undefined || head === undefined) return undefined;
  const host = ports.codeHost(target);
  const evidence = await host.readCi(target, head);
  const since = run.headAt ?? run.updatedAt;
  const now = ports.clock.now();
  const isEarly = evidence.state === 'none' && now < since + ports.policy.ciGraceMs;
  return { evidence, since, now, isExpected: isEarly && (await hasCi(host, run, target)) };
}

const WORKFLOWS = '.github/workflows/';

/** Whether anybody checks commits of this repository: its workflows say so, or what was said about an earlier commit. */
async function hasCi(host: CodeHost, { heads }: Run, target: Target): Promise<boolean> {
  const { baseSha } = target;
  if (!host.hasPullRequests || baseSha === undefined) return false;
  const { entries } = await host.readTree(target, baseSha, MAX_PATHS);
  if (entries.some(({ path }) => path.startsWith(WORKFLOWS))) return true;
  const earlier = [heads.at(-2) ?? baseSha, baseSha];
  for (const sha of new Set(earlier)) if ((await host.readCi(target, sha)).state !== 'none') return true;
  return false;
}
