import type { Agent } from '../../messages/agent-file.ts';
import type { AttemptBrief } from '../../messages/attempt-api.ts';
import type { CheckResult } from '../../messages/change-set.ts';
import { fence } from './fence.ts';

/** What a task template may ask for. Each is a whole block with its heading, or nothing at all. */
export const taskPlaceholders = [
  'requirement',
  'instructions',
  'acceptance',
  'scope',
  'dependencies',
  'team',
  'diff',
  'checks',
  'guidance',
] as const;
export type TaskPlaceholder = (typeof taskPlaceholders)[number];

export interface TaskFacts {
  brief: AttemptBrief;
  /** All agents; a plan is offered those it may name. */
  team: Agent[];
  /** The repository's own AGENTS.md or CLAUDE.md. */
  guidance?: string | undefined;
}

export function taskBlocks({ brief, team, guidance }: TaskFacts): Record<TaskPlaceholder, string> {
  return {
    requirement: block('Requirement', fence('requirement', brief.requirement)),
    instructions: [
      block('Instructions', brief.instructions.trim()),
      block('How to go about it', strategyText(brief)),
    ]
      .filter((text) => text !== '')
      .join('\n\n'),
    acceptance: block('Acceptance criteria', list(brief.acceptance)),
    scope: block('Files you may change', list(brief.scope)),
    dependencies: block('Work done before you', brief.dependencies.map(dependencyText).join('\n\n')),
    team:
      brief.kind === 'plan'
        ? block('Agents you can give tasks to', team.filter(canBePlanned).map(teamLine).join('\n'))
        : '',
    diff: brief.diff === undefined ? '' : block('Diff to judge', fence('diff', brief.diff)),
    checks: block('Check results', (brief.checks ?? []).map(checkText).join('\n\n')),
    guidance:
      guidance === undefined
        ? ''
        : block("The repository's own guidance", fence('repository-guidance', guidance)),
  };
}

/** Integration is a stage of the platform, not a task of a plan. */
export function canBePlanned(agent: Agent): boolean {
  return agent.category !== 'platform';
}

/** One check as the agents read it; its output is data. */
export function checkText(check: CheckResult): string {
  if (check.command === '') return `Not checked: ${check.summary}. That is no failure of the change.`;
  const verdict = check.passed
    ? 'passed'
    : `failed with exit code ${check.exitCode ?? 'none (it was ended)'}`;
  const head = `\`${check.command}\` ${verdict}${check.summary === '' ? '' : ` (${check.summary})`}`;
  return check.passed ? head : `${head}\n${fence('check-output', check.outputTail)}`;
}

function block(title: string, text: string): string {
  return text.trim() === '' ? '' : `## ${title}\n\n${text}`;
}

function list(items: string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function dependencyText({ task, agent, summary, output }: AttemptBrief['dependencies'][number]): string {
  const text = output.trim() === '' || output.trim() === summary.trim() ? summary : `${summary}\n\n${output}`;
  return `Task \`${task}\` by ${agent}:\n${fence('result', text)}`;
}

/** Said to an attempt whose predecessors ran out of turns, each in turn on the largest model there was. */
function strategyText({ strategy }: AttemptBrief): string {
  if (strategy === undefined) return '';
  return (
    'Attempts before you ran out of turns: this task is too much for one. Do the part that the rest builds on yourself, and hand ' +
    'over the rest in pieces that stand by themselves with `delegate_subtask`, early, before you go into detail. What you cannot ' +
    'hand over, name in your answer.'
  );
}

const YIELDS: Record<Agent['result'], string> = {
  change_set: 'changes files',
  text: 'writes text for other tasks',
  review: 'judges the pull request',
};

function teamLine(agent: Agent): string {
  return `- \`${agent.name}\` (${YIELDS[agent.result]}): ${agent.description} Good at: ${agent.capabilities.join(', ')}.`;
}
