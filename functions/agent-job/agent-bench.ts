import { fillTemplate } from '../../shared/core/agents/fill-template.ts';
import { checkText } from '../../shared/core/agents/task-blocks.ts';
import type { Bench, Roster, Stored } from '../../shared/core/work/agent-work.ts';
import { failure, messageOf } from '../../shared/core/work/attempt-failures.ts';
import type { Verdict } from '../../shared/core/work/run-agent.ts';
import {
  collectChangeSet,
  type ChangeSetWithContents,
} from '../../shared/adapters/workspace/collect-change-set.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import { createWorkspaceTools } from '../../shared/adapters/tools/workspace-tools.ts';
import type { Agent } from '../../shared/messages/agent-file.ts';
import type { CheckResult } from '../../shared/messages/change-set.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Tool } from '../../shared/ports/tool.ts';
import { createCheckpoints, type Checkpoints } from './checkpoints.ts';
import { fetchInputs } from './input-bundles.ts';
import type { Job } from './job.ts';
import { assertRepository, openWorkspace } from './open-workspace.ts';
import { proposeChangeSet } from './propose-change-set.ts';
import { readGuidance } from './repository-guidance.ts';
import { resumeWork } from './resume.ts';
import { writeBriefing } from './briefing.ts';
import { areRed, createWorkspaceChecks, type WorkspaceChecks } from './workspace-checks.ts';

/** How often an agent is sent back to work that the platform's checks do not accept. */
const MAX_CHECK_ROUNDS = 2;
const RUNNING_TOOLS: readonly string[] = ['shell', 'run_tests'];

interface Opened {
  workspace: Workspace;
  checks: WorkspaceChecks;
  checkpoints: Checkpoints;
}

/** The workspace of an agent: a checkout with tools, checked by the platform when the agent says that it is done. */
export function createAgentBench(job: Job, roster: Roster): Bench {
  const agent = roster.agents.get(job.attempt.brief.agent);
  const isChangeDue = agent?.result === 'change_set';
  let opened: Opened | undefined;
  let accepted: { changes: ChangeSetWithContents; checks: CheckResult[] } | undefined;
  let rounds = 0;

  function open(): Opened {
    if (opened === undefined) throw new PenstockError('internal', 'The workspace is not there yet.');
    return opened;
  }

  async function judge(): Promise<Verdict> {
    const { workspace, checks } = open();
    const changes = await collectOrReasons(workspace);
    if ('reasons' in changes)
      return sendBack(changes.reasons, failure('rejected_change_set', changes.reasons));
    if (changes.changeSet.entries.length === 0) {
      return { failure: failure('empty_output', 'The agent ended without a change to any file.') };
    }
    const results = await checks.run();
    accepted = { changes, checks: results };
    if (!areRed(results)) return { accept: true };
    const failed = results
      .filter(({ passed }) => !passed)
      .map(checkText)
      .join('\n\n');
    if (rounds < MAX_CHECK_ROUNDS && !job.steering.isWrapUpDue()) {
      return sendBack(failed, failure('checks_red', failed));
    }
    return (await checks.wereInputsGreen())
      ? { failure: failure('checks_red', redMessage(results)) }
      : { accept: true };
  }

  function sendBack(text: string, otherwise: ReturnType<typeof failure>): Verdict {
    if (rounds >= MAX_CHECK_ROUNDS || job.steering.isWrapUpDue()) return { failure: otherwise };
    rounds += 1;
    return { tell: fillTemplate(roster.prompts['checks-red'], { checks: text }) };
  }

  return {
    async validate() {
      assertRepository(job);
    },
    async prepare() {
      const workspace = await openWorkspace(job, await fetchInputs(job.attempt));
      opened = {
        workspace,
        checks: createWorkspaceChecks(job, workspace),
        checkpoints: createCheckpoints(job, workspace),
      };
      const guidance = await readGuidance(workspace.checkout);
      const resumed = await resumeWork(job, workspace);
      return {
        tools: agent === undefined ? [] : await toolsOf(job, workspace, agent),
        ...(guidance === undefined ? {} : { guidance }),
        ...(resumed === undefined ? {} : { resumed }),
      };
    },
    prompted: (prompt) => writeBriefing(job, open().workspace, prompt),
    afterTools: (calls) => open().checkpoints.afterTools(calls),
    ...(isChangeDue ? { judge } : {}),
    async store(): Promise<Stored> {
      if (accepted === undefined) return { checks: [] };
      const { changes, checks } = accepted;
      const refused = await proposeChangeSet(job.attempt, {
        ...changes,
        changeSet: { ...changes.changeSet, checks },
      });
      return refused === undefined ? { checks } : { checks, failure: refused };
    },
  };
}

async function toolsOf(job: Job, workspace: Workspace, agent: Agent): Promise<Tool[]> {
  const { sandbox, mayRunCode } = job;
  const tools = agent.tools.filter((name) => mayRunCode || !RUNNING_TOOLS.includes(name));
  const { operations, paths } = agent;
  const { contract } = job.attempt.brief;
  return job.wrapTools(
    await createWorkspaceTools({ workspace, sandbox, contract, allow: { tools, operations, paths } }),
  );
}

async function collectOrReasons(workspace: Workspace): Promise<ChangeSetWithContents | { reasons: string }> {
  try {
    return await collectChangeSet(workspace);
  } catch (error) {
    if (error instanceof PenstockError && (error.code === 'invalid' || error.code === 'too_large')) {
      return { reasons: messageOf(error) };
    }
    throw error;
  }
}

function redMessage(results: CheckResult[]): string {
  const failed = results.filter(({ passed }) => !passed);
  return failed
    .map(
      ({ command, summary, outputTail }) =>
        `\`${command}\` fails with this change and passes without it. ${summary}\n${outputTail.slice(-1_500)}`,
    )
    .join('\n');
}
