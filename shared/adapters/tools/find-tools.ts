import { relative, sep } from 'node:path';
import { z } from 'zod';
import type { Tool } from '../../ports/tool.ts';
import { runGit } from '../local/git-command.ts';
import { gitIn, nameText, splitNames } from '../workspace/workspace.ts';
import { defineTool } from './define-tool.ts';
import { Denied, type PathGuard } from './path-guard.ts';
import type { ToolContext } from './tool-context.ts';

const DEFAULT_FILES = 200;
const MAX_FILES = 2_000;
const MAX_MATCHES = 200;
const MAX_LINE_CHARS = 300;
const SEARCH_TIMEOUT_MS = 20_000;
const MAX_SEARCH_BYTES = 4 * 1024 * 1024;

const path = z
  .string()
  .min(1)
  .max(1_000)
  .optional()
  .describe('Folder or file to look in, relative to the root; all by default');

export function listFilesTool({ workspace, guard }: ToolContext): Tool {
  return defineTool({
    name: 'list_files',
    description: 'Lists files below a folder, without those that .gitignore names.',
    input: z.strictObject({
      path,
      limit: z.int().min(1).max(MAX_FILES).default(DEFAULT_FILES).describe('At most this many files'),
    }),
    async run(input) {
      const folder = await scopeOf(guard, input.path);
      const list = async (...kinds: string[]) => {
        const { stdout } = await runGit(
          ['ls-files', '-z', ...kinds, '--exclude-standard', '--', folder],
          gitIn(workspace),
        );
        return splitNames(stdout).map(nameText);
      };
      const gone = new Set(await list('--deleted'));
      const all = [...new Set(await list('--cached', '--others'))].filter(
        (name) => !gone.has(name) && guard.isVisible(name),
      );
      const shown = all.toSorted().slice(0, input.limit);
      const more =
        all.length > shown.length
          ? [`[${all.length - shown.length} more; name a folder or raise limit]`]
          : [];
      const content =
        [...shown, ...more].join('\n') || `no files below ${folder} (ignored files are not listed)`;
      return { content, summary: `${all.length} files below ${folder}` };
    },
  });
}

/** `git grep`: always there, never follows links, keeps to .gitignore, and can be stopped when a pattern takes too long. */
export function searchTool({ workspace, guard }: ToolContext): Tool {
  return defineTool({
    name: 'search',
    description: `Searches file contents by a regular expression (Perl syntax, line by line). Answers path:line:text, at most ${MAX_MATCHES} lines.`,
    input: z.strictObject({ pattern: z.string().min(1).max(1_000), path }),
    async run(input, signal) {
      const folder = await scopeOf(guard, input.path);
      const limits = {
        timeoutMs: SEARCH_TIMEOUT_MS,
        maxOutputBytes: MAX_SEARCH_BYTES,
        overflow: 'cut' as const,
        signal,
      };
      const options = ['--untracked', '--line-number', '-z', '-I', '-P', '--no-color'];
      const args = ['grep', ...options, '-e', input.pattern, '--', folder];
      const result = await runGit(args, { ...gitIn(workspace), ...limits, answers: [1, 128] });
      if (result.exitCode === 128 && !result.truncated)
        throw new Denied(`search failed: ${result.stderr.trim().slice(0, 500)}`);
      const found = matchesOf(result.stdout.toString('utf8')).filter((match) => guard.isVisible(match.path));
      const shown = found
        .slice(0, MAX_MATCHES)
        .map((match) => `${match.path}:${match.line}:${match.text.slice(0, MAX_LINE_CHARS)}`);
      const cut =
        found.length > MAX_MATCHES || result.truncated
          ? ['[there are more matches; narrow the pattern or the path]']
          : [];
      return { content: [...shown, ...cut].join('\n') || 'no matches', summary: `${shown.length} matches` };
    },
  });
}

interface Match {
  path: string;
  line: string;
  text: string;
}

/** `path NUL line NUL text`, one per line. */
function matchesOf(output: string): Match[] {
  return output.split('\n').flatMap((row) => {
    const [name, line, ...text] = row.split('\0');
    return name === undefined || line === undefined || text.length === 0
      ? []
      : [{ path: name, line, text: text.join('\0') }];
  });
}

/** Where to look, as git names it: a real folder or file below the checkout. */
async function scopeOf(guard: PathGuard, asked: string | undefined): Promise<string> {
  const [root, real] = [await guard.toRead('.'), await guard.toRead(asked ?? '.')];
  return relative(root, real).split(sep).join('/') || '.';
}
