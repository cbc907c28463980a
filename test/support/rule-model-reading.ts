import { posix } from 'node:path';
import type { ModelRequest } from '../../shared/ports/model.ts';

/** One tool use of a conversation with what came back. */
export interface Deed {
  name: string;
  input: Record<string, unknown>;
  result: string;
  isError: boolean;
}

/** Every tool use that has been answered, oldest first. */
export function readDeeds(turns: ModelRequest['turns']): Deed[] {
  const blocks = turns.flatMap((turn) => turn.blocks);
  return blocks.flatMap((block) => {
    if (block.type !== 'tool_use') return [];
    const result = blocks.find((other) => other.type === 'tool_result' && other.toolUseId === block.id);
    if (result?.type !== 'tool_result') return [];
    const input = typeof block.input === 'object' ? { ...block.input } : {};
    return [{ name: block.name, input, result: result.content, isError: result.isError }];
  });
}

/** Whether the output of a test run says that all passed; its exit code is not always in it. */
export function isGreen(output: string): boolean {
  const failures = [...output.matchAll(/^\W*fail (\d+)\s*$/gm)].map(([, n]) => Number(n));
  return failures.length > 0 && failures.every((n) => n === 0);
}

export interface Failure {
  testPath: string;
  /** Line of the failing assertion. */
  line: number;
  /** As `node --test` prints them, such as `7`, `'open'` or `true`. */
  actual: string;
  expected: string;
}

/** The first failing assertion in the output of `node --test`. */
export function readFailure(output: string): Failure | undefined {
  const testPath = /^test at ([^\s:]+):\d+:\d+$/m.exec(output)?.[1];
  if (testPath === undefined) return undefined;
  const details = output.slice(output.indexOf(`test at ${testPath}`));
  const frame = new RegExp(`${posix.basename(testPath).replaceAll('.', '\\.')}:(\\d+):\\d+\\)`).exec(details);
  const actual = /^\s*actual: (.*?),?$/m.exec(details)?.[1];
  const expected = /^\s*expected: (.*?),?$/m.exec(details)?.[1];
  if (frame === null || actual === undefined || expected === undefined) return undefined;
  return { testPath, line: Number(frame[1]), actual, expected };
}

/** The file and the function that a failing assertion is about, from the text of its test. */
export function readSuspect(
  test: string,
  { testPath, line }: Failure,
): { path: string; name: string } | undefined {
  const asserted = test.split('\n')[line - 1] ?? '';
  for (const [, names = '', from = ''] of test.matchAll(/^import \{([^}]*)\} from '(\.[^']*)';/gm)) {
    const name = names.split(',').find((candidate) => asserted.includes(`${candidate.trim()}(`));
    if (name !== undefined) return { path: posix.join(posix.dirname(testPath), from), name: name.trim() };
  }
  return undefined;
}

/** File content as a tool returned it, without line numbers where the tool adds them. */
export function withoutLineNumbers(content: string): string {
  const lines = content.split('\n');
  const numbered = /^\s*\d+(?:\t|→|\s*[|:]\s?)/;
  const areNumbered = lines.filter((line) => line !== '').every((line) => numbered.test(line));
  return areNumbered ? lines.map((line) => line.replace(numbered, '')).join('\n') : content;
}
