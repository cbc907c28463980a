import { z } from 'zod';
import type { Agent } from '../../messages/agent-file.ts';
import { MAX_OUTPUT_CHARS, type AttemptBrief } from '../../messages/attempt-api.ts';
import {
  architectAnswer,
  reviewAnswer,
  type ArchitectAnswer,
  type ReviewAnswer,
} from '../../messages/plan.ts';

/** What an agent's conversation came to. */
export type AgentAnswer =
  | { kind: 'text'; text: string }
  | { kind: 'plan'; text: string; plan: ArchitectAnswer }
  | { kind: 'review'; text: string; review: ReviewAnswer };

/** How a final answer is read, and the JSON Schema that the model is given for it. */
export interface AnswerContract {
  schema?: Record<string, unknown>;
  read(text: string): { answer: AgentAnswer } | { reasons: string[] };
}

export function answerContract(
  brief: Pick<AttemptBrief, 'kind'>,
  agent: Pick<Agent, 'result'>,
): AnswerContract {
  if (brief.kind === 'plan') {
    return jsonContract(architectAnswer, (text, plan) => ({ kind: 'plan', text, plan }));
  }
  if (brief.kind === 'review' || agent.result === 'review') {
    return jsonContract(reviewAnswer, (text, review) => ({ kind: 'review', text, review }));
  }
  return { read: (text) => ({ answer: { kind: 'text', text: text.trim() } }) };
}

function jsonContract<T>(
  schema: z.ZodType<T>,
  wrap: (text: string, value: T) => AgentAnswer,
): AnswerContract {
  return {
    schema: z.toJSONSchema(schema),
    read(text) {
      const json = parseJson(text);
      if (json === undefined) return { reasons: ['it is not one JSON value'] };
      const parsed = schema.safeParse(json);
      if (!parsed.success) return { reasons: parsed.error.issues.map(issueText) };
      const compact = JSON.stringify(parsed.data);
      if (compact.length > MAX_OUTPUT_CHARS)
        return { reasons: [`it has more than ${MAX_OUTPUT_CHARS} characters`] };
      return { answer: wrap(compact, parsed.data) };
    },
  };
}

/** Models put JSON into a code block, or a sentence around it, even when told not to. */
function parseJson(text: string): unknown {
  const inBraces = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  for (const candidate of [text, inBraces]) {
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      // The next candidate, or not JSON at all.
    }
  }
  return undefined;
}

function issueText({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}
