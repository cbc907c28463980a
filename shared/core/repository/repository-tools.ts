import { z } from 'zod';
import type { ToolName } from '../../messages/agent-file.ts';
import type { CodeHost, TreeEntry } from '../../ports/code-host.ts';
import type { Tool, ToolResult } from '../../ports/tool.ts';
import type { Ports } from '../ports.ts';
import { MAX_PATHS } from '../prepare-target.ts';
import type { Target } from '../run.ts';

/** Calls of one attempt of the function lane; each may cost a request to the host. */
const MAX_CALLS = 30;
const MAX_FILE_BYTES = 64 * 1024;
const MAX_LISTED = 1_000;
const MAX_SEARCHED_FILES = 400;
const MAX_MATCHES = 100;
/** A longer line is searched only so far: a minified file is not worth an expression that runs for minutes. */
const MAX_LINE_CHARS = 1_000;

const listInput = z.object({ path: z.string().optional() });
const readInput = z.object({ path: z.string() });
const searchInput = z.object({ pattern: z.string().min(1).max(500), path: z.string().optional() });

/** Reading tools of the function lane: the repository at the commit that its target names as base, through its host. */
export function repositoryTools(
  ports: Pick<Ports, 'codeHost'>,
  target: Target | undefined,
  allowed: readonly string[],
): { tools: Tool[]; filesRead: () => number } {
  if (target?.baseSha === undefined) return { tools: [], filesRead: () => 0 };
  const reader = createReader(ports.codeHost(target), target, target.baseSha);
  const tools = [
    tool(
      'list_files',
      'Lists the files of the repository, optionally below a folder.',
      listInput,
      reader.list,
    ),
    tool('read_file', 'Reads one text file of the repository.', readInput, reader.read),
    tool(
      'search',
      'Finds lines that match a regular expression, optionally below a folder.',
      searchInput,
      reader.search,
    ),
  ];
  return {
    tools: tools.filter(({ spec }) => allowed.some((name) => name === spec.name)),
    filesRead: reader.filesRead,
  };
}

function createReader(host: CodeHost, target: Target, sha: string) {
  const seen = new Set<string>();
  let calls = 0;
  let tree: Promise<{ entries: TreeEntry[]; truncated: boolean }> | undefined;
  const files = () => (tree ??= host.readTree(target, sha, MAX_PATHS));

  async function text(path: string): Promise<string | undefined> {
    const bytes = await host.readFile(target, sha, path, MAX_FILE_BYTES);
    if (bytes === undefined || bytes.includes(0)) return undefined;
    return new TextDecoder().decode(bytes);
  }

  function counted<T>(run: (input: T) => Promise<ToolResult>) {
    return (input: T): Promise<ToolResult> => {
      calls += 1;
      return calls > MAX_CALLS
        ? Promise.resolve(failure(`${MAX_CALLS} calls are used up; answer with what you know`))
        : run(input);
    };
  }

  return {
    filesRead: () => seen.size,
    list: counted(async ({ path }: z.infer<typeof listInput>) => {
      const { entries, truncated } = await files();
      const found = below(entries, path).map((entry) => entry.path);
      const more = truncated || found.length > MAX_LISTED ? '\n(more files are not listed)' : '';
      return ok(`${found.slice(0, MAX_LISTED).join('\n')}${more}`, `${found.length} files`);
    }),
    read: counted(async ({ path }: z.infer<typeof readInput>) => {
      const content = await text(path);
      if (content !== undefined) seen.add(path);
      return content === undefined
        ? failure(`${path} is not a text file of the repository`)
        : ok(content, path);
    }),
    search: counted(async ({ pattern, path }: z.infer<typeof searchInput>) => {
      const expression = compile(pattern);
      if (expression === undefined) return failure(`${pattern} is not a regular expression`);
      const { entries } = await files();
      const candidates = below(entries, path)
        .filter(({ bytes }) => bytes <= MAX_FILE_BYTES)
        .slice(0, MAX_SEARCHED_FILES);
      const matches = await searchFiles(candidates, text, expression);
      return ok(matches.slice(0, MAX_MATCHES).join('\n') || 'no match', `${matches.length} matches`);
    }),
  };
}

async function searchFiles(
  candidates: TreeEntry[],
  text: (path: string) => Promise<string | undefined>,
  expression: RegExp,
): Promise<string[]> {
  const matches: string[] = [];
  for (const { path } of candidates) {
    if (matches.length >= MAX_MATCHES) break;
    const lines = (await text(path))?.split('\n') ?? [];
    matches.push(
      ...lines.flatMap((line, n) =>
        expression.test(line.slice(0, MAX_LINE_CHARS)) ? [`${path}:${n + 1}: ${line.slice(0, 300)}`] : [],
      ),
    );
  }
  return matches;
}

function below(entries: TreeEntry[], path: string | undefined): TreeEntry[] {
  const folder = path?.replace(/^\.?\/+|\/+$/g, '') ?? '';
  if (folder === '' || folder === '.') return entries;
  return entries.filter((entry) => entry.path === folder || entry.path.startsWith(`${folder}/`));
}

function compile(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}

function ok(content: string, summary: string): ToolResult {
  return { content, isError: false, summary };
}

function tool<T>(
  name: ToolName,
  description: string,
  schema: z.ZodType<T>,
  run: (input: T) => Promise<ToolResult>,
): Tool {
  return {
    spec: { name, description, inputSchema: z.toJSONSchema(schema) },
    run: async (input) => {
      const checked = schema.safeParse(input);
      if (!checked.success)
        return failure(
          checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
        );
      return run(checked.data);
    },
  };
}

function failure(content: string): ToolResult {
  return { content, isError: true, summary: content.slice(0, 200) };
}
