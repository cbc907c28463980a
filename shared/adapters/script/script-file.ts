import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument, stringify, type Document } from 'yaml';
import { z } from 'zod';
import { PenstockError } from '../../ports/penstock-error.ts';

const words = z.array(z.string().min(1)).min(1);

/** What a request must be for a turn to answer it; every given condition must hold. */
const when = z.strictObject({
  /** Id on the line `Task: <id>` of the first user turn. */
  task: z.string().optional(),
  /** How often the agent has spoken before. */
  assistantTurns: z.int().nonnegative().optional(),
  /** Each stands somewhere in what the agent was told or its tools returned; never in its own words. */
  contains: words.optional(),
  notContains: words.optional(),
  /** Each stands in what the tools returned last. */
  lastToolResultContains: words.optional(),
  lastToolResultNotContains: words.optional(),
  /** Digest of the whole conversation, as the recorder writes it. */
  fingerprint: z.string().optional(),
});

const answer = z
  .strictObject({
    text: z.string().optional(),
    tool_uses: z
      .array(z.strictObject({ name: z.string(), input: z.record(z.string(), z.unknown()) }))
      .optional(),
    /** Structured output: the text is this value as JSON. */
    json: z.unknown().optional(),
    /** @default 'tool_use' with tool uses, else 'end' */
    stop: z.enum(['end', 'tool_use', 'truncated', 'refused', 'context_full']).optional(),
  })
  .refine(
    ({ text, tool_uses, json, stop }) =>
      text !== undefined || tool_uses !== undefined || json !== undefined || stop !== undefined,
    'an answer has text, tool_uses, json or stop',
  )
  .refine(
    ({ text, json }) => text === undefined || json === undefined,
    'an answer has text or json, not both',
  );

const tokens = z.int().nonnegative();

const turn = z.strictObject({
  id: z.string().min(1),
  /** Name on the line `Agent: <name>` of the system prompt. */
  agent: z.string().min(1),
  when: when.prefault({}),
  answer,
  /** Tokens to report. By default simulated from the bytes of request and answer. */
  usage: z
    .strictObject({ input: tokens, output: tokens, cacheRead: tokens, cacheWrite: tokens })
    .partial()
    .optional(),
});

/** A file of answers for a scripted model. */
export const script = z
  .strictObject({
    name: z.string().min(1),
    /** Who made it and how: `scripted` by hand, or `recorded` on which day from which model. */
    note: z.string().min(1),
    pricesNote: z.string().optional(),
    turns: z.array(turn).min(1).max(2_000),
  })
  .superRefine(({ turns }, context) => {
    const seen = new Set<string>();
    turns.forEach(({ id }, index) => {
      if (seen.has(id)) {
        context.addIssue({
          code: 'custom',
          path: ['turns', index, 'id'],
          message: `two turns are called ${id}`,
        });
      }
      seen.add(id);
    });
  });
export type Script = z.infer<typeof script>;
export type ScriptTurn = Script['turns'][number];

/** Reads a script in YAML or JSON. Throws `config` with line and column of every mistake. */
export async function loadScript(path: string): Promise<Script> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PenstockError(
      'config',
      `The script ${path} cannot be read. Give the path of an existing file.`,
      { cause },
    );
  });
  return parseScript(text, path);
}

/** The same from text; `name` stands in the messages. */
export function parseScript(text: string, name: string): Script {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw invalidScript(
      name,
      document.errors.map((error) => `${at(error.pos[0])} ${error.message}`),
    );
  }
  const parsed = script.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map(({ path, message }) => {
    const where = path.filter((part) => typeof part !== 'symbol');
    return `${at(offsetOf(document, where))} ${where.join('.') || 'script'}: ${message}`;
  });
  throw invalidScript(name, reasons);
}

export function formatScript(value: Script): string {
  return stringify(value, { lineWidth: 0 });
}

function invalidScript(name: string, reasons: string[]): PenstockError {
  return new PenstockError('config', `The script ${name} is not valid:\n${reasons.join('\n')}`, { reasons });
}

/** Where the innermost existing node of a path begins. */
function offsetOf(document: Document, path: (string | number)[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length);
    const node = part.length === 0 ? document.contents : document.getIn(part, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}
