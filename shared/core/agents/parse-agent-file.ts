import { createHash } from 'node:crypto';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { agentFrontMatter, type Agent } from '../../messages/agent-file.ts';
import { readSections, type LineReason } from './agent-sections.ts';
import { unknownPlaceholders } from './fill-template.ts';
import { taskPlaceholders } from './task-blocks.ts';

export interface AgentFile {
  /** File name without its folder, such as `qa_testing.md`. */
  file: string;
  text: string;
}

export interface AgentFileReason extends LineReason {
  file: string;
}

export type ParsedAgentFile = { agent: Agent } | { reasons: AgentFileReason[] };

const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;

/** An agent from the text of its file, or every reason why not, each with its line (003-25..28). */
export function parseAgentFile({ file, text }: AgentFile): ParsedAgentFile {
  const match = FRONT_MATTER.exec(text);
  if (match?.[1] === undefined) {
    return {
      reasons: [
        { file, line: 1, message: 'the file must begin with YAML front matter between two lines of ---' },
      ],
    };
  }
  const bodyLine = match[0].split('\n').length;
  const front = readFrontMatter(match[1]);
  const body = readSections(text.slice(match[0].length).replaceAll('\r\n', '\n'), bodyLine);
  const reasons = [
    ...front.reasons,
    ...body.reasons,
    ...templateReasons(body.sections['Task template'], body.lines['Task template']),
  ];
  const name = front.data?.name;
  if (name !== undefined && file !== `${name}.md`) {
    reasons.push({
      line: front.lineOf(['name']),
      message: `the name is ${name}, so the file must be ${name}.md`,
    });
  }
  if (front.data === undefined || reasons.length > 0) {
    return { reasons: reasons.toSorted((a, b) => a.line - b.line).map((reason) => ({ file, ...reason })) };
  }
  const contentHash = createHash('sha256').update(text).digest('hex');
  return { agent: { ...front.data, sections: body.sections, contentHash } };
}

function templateReasons(template: string, line: number): LineReason[] {
  return unknownPlaceholders(template, taskPlaceholders).map((name) => ({
    line,
    message: `{{${name}}} is not a placeholder; there are ${taskPlaceholders.map((known) => `{{${known}}}`).join(', ')}`,
  }));
}

interface FrontMatter {
  data: z.infer<typeof agentFrontMatter> | undefined;
  reasons: LineReason[];
  lineOf(path: PropertyKey[]): number;
}

function readFrontMatter(yaml: string): FrontMatter {
  const counter = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: counter });
  // The opening --- is line 1 of the file.
  const lineAt = (offset: number): number => counter.linePos(offset).line + 1;
  const lineOf = (path: PropertyKey[]): number => lineAt(offsetOf(document, path));
  if (document.errors.length > 0) {
    const reasons = document.errors.map(({ pos, message }) => ({
      line: lineAt(pos[0]),
      message: message.split('\n')[0] ?? message,
    }));
    return { data: undefined, reasons, lineOf };
  }
  const parsed = agentFrontMatter.safeParse(document.toJS() ?? {});
  if (parsed.success) return { data: parsed.data, reasons: [], lineOf };
  return {
    data: undefined,
    reasons: parsed.error.issues.flatMap((issue) => issueReasons(issue, lineOf)),
    lineOf,
  };
}

function issueReasons(issue: z.core.$ZodIssue, lineOf: FrontMatter['lineOf']): LineReason[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      line: lineOf([...issue.path, key]),
      message: `${[...issue.path, key].join('.')}: is not a known field`,
    }));
  }
  const at = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  return [{ line: lineOf(issue.path), message: `${at}${issue.message}` }];
}

/** Where the value of a path begins, or where the nearest thing around it does. */
function offsetOf(document: Document.Parsed, path: PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node: unknown = document.getIn(path.slice(0, depth), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return Number(node.range[0]);
    }
  }
  return 0;
}
