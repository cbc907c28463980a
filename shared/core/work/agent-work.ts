import type { Agent } from '../../messages/agent-file.ts';
import {
  MAX_OUTPUT_CHARS,
  MAX_SUMMARY_CHARS,
  type AttemptFailure,
  type AttemptResultInput,
} from '../../messages/attempt-api.ts';
import type { CheckResult } from '../../messages/change-set.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Tool } from '../../ports/tool.ts';
import { renderPrompt, type Prompts } from '../agents/render-prompt.ts';
import { answerContract, type AgentAnswer } from './agent-answer.ts';
import { cutEnd } from './attempt-failures.ts';
import { continuationNote, type ResumePoint } from './resume-point.ts';
import { runAgent, type AgentEnd, type AgentRun } from './run-agent.ts';
import type { WorkContext } from './run-attempt.ts';
import { teamTools } from './team-tools.ts';

/** The agents and prompts of this process. */
export interface Roster {
  agents: ReadonlyMap<string, Agent>;
  prompts: Prompts;
}

/** What differs between the lanes: where the agent works and what becomes of it. */
export interface Bench {
  /** Says why the task cannot be begun, such as an input that is not there. */
  validate?(): Promise<void>;
  /** Everything the agent works on is there when it resolves. */
  prepare(): Promise<{ tools: Tool[]; guidance?: string; resumed?: ResumePoint }>;
  /** What the conversation is about to begin with. */
  prompted?(prompt: { system: string; user: string }): Promise<void>;
  afterTools?: AgentRun['afterTools'];
  judge?: AgentRun['judge'];
  /** Checks what the agent left behind, before it is stored. */
  collect?(answer: AgentAnswer): Promise<void>;
  /** Stores what `collect` found. */
  store?(): Promise<Stored>;
}

export interface Stored {
  checks: CheckResult[];
  failure?: AttemptFailure;
}

/** The work of an agent that is a model, as the stages of 003-29. */
export async function doAgentWork(
  context: WorkContext,
  roster: Roster,
  bench: Bench,
): Promise<AttemptResultInput> {
  const { attempt, stage } = context;
  const { brief } = attempt;
  const agent = await stage('load_configuration', () => findAgent(roster, brief.agent));
  await stage('validate_dependencies', () => bench.validate?.());
  const run = await stage('prepare_context', () => prepareRun(context, roster, bench, agent));
  const end = await stage('execute_task', () => runAgent(run));
  if ('failure' in end) return { outcome: 'failed', failure: end.failure };
  await stage('process_output', () => bench.collect?.(end.answer));
  const stored = (await stage('store_results', () => bench.store?.())) ?? { checks: [] };
  if (stored.failure !== undefined)
    return { outcome: 'failed', failure: stored.failure, checks: stored.checks };
  return stage('generate_handoff', () => handOver(context, agent, end, stored.checks));
}

function findAgent({ agents }: Roster, name: string): Agent {
  const agent = agents.get(name);
  if (agent !== undefined) return agent;
  throw new PenstockError(
    'config',
    `There is no agent ${name} in this version. Add shared/agents/${name}.md or plan with another.`,
  );
}

async function prepareRun(
  context: WorkContext,
  roster: Roster,
  bench: Bench,
  agent: Agent,
): Promise<AgentRun> {
  const { attempt, transcript } = context;
  const { brief } = attempt;
  const { tools, guidance, resumed } = await bench.prepare();
  const { system, user } = renderPrompt({
    brief,
    agent,
    prompts: roster.prompts,
    team: [...roster.agents.values()],
    guidance,
  });
  await bench.prompted?.({ system, user });
  if (resumed !== undefined && brief.resume !== undefined && resumed.turns.length > 0) {
    transcript.write({ kind: 'note', text: continuationNote(brief.resume.generation, resumed.turns.length) });
  }
  return {
    ...context,
    brief,
    model: attempt.model,
    prompts: roster.prompts,
    system,
    firstTurn: user,
    resumed: resumed?.turns ?? [],
    tools: [...tools, ...teamTools({ attempt, agents: roster.agents, clock: context.clock })],
    contract: answerContract(brief, agent),
    ...(bench.afterTools === undefined ? {} : { afterTools: bench.afterTools }),
    ...(bench.judge === undefined ? {} : { judge: bench.judge }),
  };
}

function handOver(
  { transcript }: WorkContext,
  agent: Agent,
  end: Extract<AgentEnd, { answer: AgentAnswer }>,
  checks: CheckResult[],
): AttemptResultInput {
  const { answer, filesRead } = end;
  if (agent.next_agents.length > 0) {
    transcript.write({ kind: 'note', text: `Usual next agents: ${agent.next_agents.join(', ')}.` });
  }
  const common = { outcome: 'succeeded', checks, filesRead } as const;
  if (answer.kind === 'plan') return { ...common, summary: answer.plan.summary, output: answer.text };
  if (answer.kind === 'review') return { ...common, summary: answer.review.summary, review: answer.review };
  const summary = cutEnd(answer.text, MAX_SUMMARY_CHARS);
  return agent.result === 'text'
    ? { ...common, summary, output: cutEnd(answer.text, MAX_OUTPUT_CHARS) }
    : { ...common, summary };
}
