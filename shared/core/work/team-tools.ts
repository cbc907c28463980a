import { z } from 'zod';
import { messageTypes, agentMessage } from '../../messages/agent-message.ts';
import { type Agent, type TeamToolName, teamToolNames } from '../../messages/agent-file.ts';
import { type AttemptBrief, subtaskProposal, type Proposal } from '../../messages/attempt-api.ts';
import { taskId } from '../../messages/identifiers.ts';
import type { Attempt } from '../../ports/attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Tool, ToolResult } from '../../ports/tool.ts';
import { canBePlanned } from '../agents/task-blocks.ts';
import { messageIdOf } from '../mail/message-id.ts';

const subtaskInput = subtaskProposal.omit({ kind: true, id: true });
const messageInput = agentMessage.pick({ to_agent: true, context: true, next_tasks: true }).extend({
  message_type: z.enum(messageTypes).exclude(['subtask']),
  correlation_id: taskId.optional(),
});

export interface Team {
  attempt: Pick<Attempt, 'brief' | 'propose'>;
  agents: ReadonlyMap<string, Agent>;
  clock: Clock;
}

/** What an agent may do towards the rest of its team, as far as its file names it. The platform checks all of it again. */
export function teamTools(team: Team): Tool[] {
  const { brief } = team.attempt;
  const allowed = team.agents.get(brief.agent)?.tools ?? [];
  // While a plan is made there is no team yet.
  const kinds: Record<TeamToolName, AttemptBrief['kind'][]> = {
    delegate_subtask: ['work'],
    send_message: ['work', 'fix', 'review'],
  };
  const isOffered = (name: TeamToolName) => allowed.includes(name) && kinds[name].includes(brief.kind);
  return teamToolNames.filter(isOffered).map((name) => makers[name](team));
}

const makers: Record<TeamToolName, (team: Team) => Tool> = {
  delegate_subtask: (team) =>
    defineProposal(team, {
      name: 'delegate_subtask',
      description:
        'Hands a part of your task to another agent. It begins at once and works beside you, on the same base as you: give it ' +
        'files that you do not change, and instructions that stand by themselves. Its budget comes out of yours. What waits for ' +
        `your task waits for it too. Agents: ${rosterText(team)}.`,
      input: subtaskInput,
      propose: (input, id) => ({ kind: 'subtask', id, ...input }),
    }),
  send_message: (team) =>
    defineProposal(team, {
      name: 'send_message',
      description:
        'Says something to another agent of this run: it reads it while it is at work, or when it begins. `complete` with the id of a ' +
        `subtask as correlation_id ends that subtask with this message as its result. Agents: ${rosterText(team)}.`,
      input: messageInput,
      propose: ({ correlation_id, ...said }, id) => ({
        kind: 'message',
        message: {
          ...said,
          message_id: id,
          timestamp: new Date(team.clock.now()).toISOString(),
          from_agent: team.attempt.brief.agent,
        },
        ...(correlation_id === undefined ? {} : { correlation_id }),
      }),
    }),
};

function rosterText({ agents }: Team): string {
  return [...agents.values()]
    .filter(canBePlanned)
    .map(({ name, capabilities }) => `${name} (${capabilities.slice(0, 3).join(', ')})`)
    .join('; ');
}

interface ProposalTool<S extends z.ZodObject> {
  name: TeamToolName;
  description: string;
  input: S;
  propose: (input: z.infer<S>, id: string) => Proposal;
}

/** The same call of the model is the same proposal, however often it arrives. */
function defineProposal<S extends z.ZodObject>(
  { attempt }: Team,
  { name, description, input, propose }: ProposalTool<S>,
): Tool {
  const { $schema: _dialect, ...inputSchema } = z.toJSONSchema(input, { io: 'input' });
  return {
    spec: { name, description, inputSchema },
    async run(raw, _signal, callId = '') {
      const parsed = input.safeParse(raw);
      if (!parsed.success) return refused(`${name}: ${z.prettifyError(parsed.error)}`);
      const { run, task } = attempt.brief;
      const id = messageIdOf(run, task, callId, JSON.stringify(parsed.data));
      try {
        const { key, note } = await attempt.propose(propose(parsed.data, id));
        return { content: note ?? key, isError: false, summary: key };
      } catch (error) {
        if (error instanceof PenstockError && isAnswer(error)) return refused(error.message);
        throw error;
      }
    },
  };
}

/** The platform said no, and why: the agent can do something else. */
function isAnswer({ code }: PenstockError): boolean {
  return ['forbidden', 'budget', 'invalid', 'too_large', 'not_found'].includes(code);
}

function refused(reason: string): ToolResult {
  return { content: reason.slice(0, 2_000), isError: true, summary: 'denied by the platform' };
}
