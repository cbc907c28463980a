import type { PlannedTask } from '../../../shared/messages/plan.ts';
import type { PlanView, RunView } from '../../../shared/messages/run-view.ts';
import { graphLine } from './graph-line.ts';
import { planLines } from './run-lines.ts';
import { oneLine, safeText } from './wording.ts';

const ID_WIDTH = 14;
const AGENT_WIDTH = 20;
const MAX_LINE_CHARS = 160;

/** A plan for a person: the sum, the graph, and each task with what makes it done. */
export function planText(run: RunView, plan: PlanView): string[] {
  const [sum] = planLines(run, plan);
  return [
    ...(sum === undefined ? [] : [sum.text]),
    graphLine(plan.tasks),
    ...(plan.summary === '' ? [] : ['', safeText(plan.summary).trim()]),
    '',
    ...plan.tasks.flatMap(taskText),
    ...(run.checksFrom.length === 0
      ? []
      : ['', `checks: ${oneLine(run.checksFrom.join('; '), MAX_LINE_CHARS)}`]),
  ];
}

function taskText(task: PlannedTask): string[] {
  const after = task.dependencies.length === 0 ? '' : `   after ${task.dependencies.join(', ')}`;
  const optional = task.optional ? '   optional' : '';
  const indent = ' '.repeat(ID_WIDTH + 2);
  return [
    `  ${task.id.padEnd(ID_WIDTH)}${task.agent.padEnd(AGENT_WIDTH)}${(task.lane ?? '').padEnd(9)}${after}${optional}`.trimEnd(),
    `${indent}${oneLine(task.title ?? task.instructions, MAX_LINE_CHARS)}`,
    ...task.acceptance.map((text) => `${indent}- ${oneLine(text, MAX_LINE_CHARS)}`),
    ...(task.scope.length === 0 ? [] : [`${indent}files: ${oneLine(task.scope.join(', '), MAX_LINE_CHARS)}`]),
  ];
}
