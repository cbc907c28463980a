import type { AttemptResultInput } from '../../messages/attempt-api.ts';
import {
  type ArchitectAnswer,
  architectAnswer,
  plannedTask,
  type PlanProposal,
} from '../../messages/plan.ts';
import type { Attempt } from '../../ports/attempt.ts';
import type { OpenAttempt, Ports } from '../ports.ts';
import { MAX_PATHS } from '../prepare-target.ts';
import type { StoredPlan } from './stored-plan.ts';
import { validatePlan } from './validate-plan.ts';

type PlanPorts = Pick<Ports, 'agents' | 'policy' | 'codeHost' | 'work'>;

/** The architect's plan, checked; rejected once, it is asked again with all the reasons. */
export async function planWork(
  ports: PlanPorts,
  open: () => Promise<OpenAttempt>,
): Promise<AttemptResultInput> {
  const opened = await open();
  const paths = await existingPaths(ports, opened.attempt);
  const { attempt, logged } = countingLog(opened.attempt);
  const first = await ports.work(async () => ({ ...opened, attempt }));
  if (first.outcome === 'failed') return first;
  const verdict = judge(ports, first.output ?? '', paths);
  if (verdict.ok) return planned(verdict.plan);
  const again = secondTry(opened.attempt, verdict.reasons, logged());
  const second = await ports.work(async () => ({ ...opened, attempt: again }));
  if (second.outcome === 'failed') return second;
  const last = judge(ports, second.output ?? '', paths);
  if (last.ok) return planned(last.plan);
  const message = `the plan was rejected twice: ${last.reasons.join('; ')}`.slice(0, 4_000);
  return { outcome: 'failed', failure: { code: 'invalid_output', message } };
}

function planned(plan: StoredPlan): AttemptResultInput {
  return { outcome: 'succeeded', summary: plan.summary, output: JSON.stringify(plan) };
}

type Judgement = { ok: true; plan: StoredPlan } | { ok: false; reasons: string[] };

function judge(ports: PlanPorts, output: string, paths: ReadonlySet<string> | undefined): Judgement {
  const answer = architectAnswer.safeParse(parseJson(output));
  if (!answer.success)
    return {
      ok: false,
      reasons: answer.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`),
    };
  const malformed = answer.data.tasks.flatMap((task) => {
    const checked = plannedTask.safeParse(task);
    return checked.success
      ? []
      : checked.error.issues.map(({ path, message }) => `task ${task.id}: ${path.join('.')}: ${message}`);
  });
  if (malformed.length > 0) return { ok: false, reasons: malformed };
  const proposal: PlanProposal = { tasks: answer.data.tasks.map((task) => plannedTask.parse(task)) };
  const verdict = validatePlan(proposal, ports.agents, ports.policy);
  const reasons = [...(verdict.ok ? [] : verdict.reasons), ...promiseReasons(answer.data, paths)];
  if (!verdict.ok || reasons.length > 0) return { ok: false, reasons };
  return { ok: true, plan: { summary: answer.data.summary, tasks: verdict.tasks, filesRead: 0 } };
}

/** What a model's plan must promise besides its shape: something to check, and files that are there or said to be new. */
function promiseReasons({ tasks }: ArchitectAnswer, paths: ReadonlySet<string> | undefined): string[] {
  return tasks.flatMap((task) => {
    const missing = task.scope.filter((scope) => paths !== undefined && isMissing(scope, paths));
    return [
      ...(task.acceptance.length === 0
        ? [`task ${task.id} has no acceptance criterion that a command or the reviewer can check`]
        : []),
      ...missing.map(
        (scope) => `task ${task.id}: ${scope} does not exist; write new:${scope} if it is to be created`,
      ),
    ];
  });
}

function isMissing(scope: string, paths: ReadonlySet<string>): boolean {
  return !scope.startsWith('new:') && !/[*?[{]/.test(scope) && !paths.has(scope.replace(/\/$/, ''));
}

/** Files and their folders at the base; `undefined` where there is no repository or too much of it. */
async function existingPaths(ports: PlanPorts, { brief }: Attempt): Promise<Set<string> | undefined> {
  if (brief.target === undefined) return undefined;
  const host = brief.target.host === 'github' ? 'github' : 'local-git';
  const repository = { host, repository: brief.target.repository } as const;
  const { entries, truncated } = await ports
    .codeHost({ host })
    .readTree(repository, brief.target.baseSha, MAX_PATHS);
  if (truncated) return undefined;
  const paths = entries.map(({ path }) => path);
  return new Set(
    paths.flatMap((path) => [
      path,
      ...path
        .split('/')
        .slice(0, -1)
        .map((_, n, all) => all.slice(0, n + 1).join('/')),
    ]),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Counts the transcript chunks, so that a second conversation of the same attempt goes on behind them. */
function countingLog(attempt: Attempt): { attempt: Attempt; logged: () => number } {
  let chunks = 0;
  const log: Attempt['log'] = (n, lines) => {
    chunks = Math.max(chunks, n + 1);
    return attempt.log(n, lines);
  };
  return { attempt: { ...attempt, log }, logged: () => chunks };
}

function secondTry(attempt: Attempt, reasons: string[], chunks: number): Attempt {
  const previousFailure = `Your plan was rejected:\n${reasons.map((reason) => `- ${reason}`).join('\n')}`;
  const { resume: _clean, ...brief } = attempt.brief;
  return {
    ...attempt,
    brief: { ...brief, previousFailure },
    log: (n, lines) => attempt.log(chunks + n, lines),
  };
}
