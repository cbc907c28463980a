import type { WireAnswer, WireRequest } from '../../../shared/adapters/script/messages-protocol.ts';
import type { ArchitectAnswer } from '../../../shared/messages/plan.ts';
import { answerByRule } from '../rule-model.ts';

/** The rule model, and a plan of two tasks: one waits for the other. */
export function answerWithTwoTasks(request: WireRequest): WireAnswer {
  const answer = answerByRule(request);
  const asked = Object.keys(request.outputSchema?.['properties'] ?? {});
  const [block] = 'error' in answer ? [] : answer.blocks;
  if (!asked.includes('tasks') || 'error' in answer || block?.type !== 'text') return answer;
  const plan = JSON.parse(block.text) as ArchitectAnswer;
  const design = {
    id: 'design',
    agent: 'project_architect',
    title: 'Say what is to be done',
    instructions: 'Name the file that is to be repaired.',
    dependencies: [],
    acceptance: ['A file is named.'],
    scope: [],
  };
  const tasks = [design, ...plan.tasks.map((task) => ({ ...task, dependencies: ['design'] }))];
  return { ...answer, blocks: [{ type: 'text', text: JSON.stringify({ ...plan, tasks }) }] };
}
