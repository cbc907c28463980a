import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Tool } from '../../ports/tool.ts';
import { defineTool } from './define-tool.ts';
import { Denied } from './path-guard.ts';
import type { ToolContext } from './tool-context.ts';

const path = z.string().min(1).max(1_000).describe('Path relative to the root of the repository');
/** A pipe must not block, and a link that appeared after the check must not be followed. */
const OPEN_FLAGS = constants.O_NONBLOCK | constants.O_NOFOLLOW;

export function readFileTool({ guard, limits }: ToolContext): Tool {
  return defineTool({
    name: 'read_file',
    description:
      'Reads a text file. With offset and limit only these lines; a note in brackets says when there is more.',
    input: z.strictObject({
      path,
      offset: z.int().min(1).optional().describe('First line, from 1'),
      limit: z.int().min(1).max(100_000).optional().describe('Number of lines'),
    }),
    async run(input) {
      const text = await readText(await guard.toRead(input.path), input.path, limits.maxFileBytes);
      const content = excerpt(text, input.offset ?? 1, input.limit, limits.maxOutputBytes);
      return { content, summary: input.path };
    },
  });
}

export function writeFileTool({ guard, limits }: ToolContext): Tool {
  return defineTool({
    name: 'write_file',
    description:
      'Writes a whole file; makes its folders, replaces what was there. Prefer edit_file for changing a file.',
    input: z.strictObject({ path, content: z.string().describe('The whole contents of the file') }),
    async run(input) {
      const bytes = Buffer.byteLength(input.content);
      if (bytes > limits.maxFileBytes)
        throw new Denied(`${input.path} would have ${bytes} bytes; at most ${limits.maxFileBytes}`);
      const target = await guard.toWrite(input.path);
      await mkdir(dirname(target), { recursive: true });
      await overwrite(target, input.content);
      return { content: `wrote ${input.path}: ${lineCount(input.content)} lines`, summary: input.path };
    },
  });
}

export function editFileTool({ guard, limits }: ToolContext): Tool {
  return defineTool({
    name: 'edit_file',
    description:
      'Replaces text in a file. `old` must be there exactly as written, with its blanks and line ends, and only once, unless `all` is true.',
    input: z.strictObject({
      path,
      old: z.string().min(1).describe('Text to replace, exactly as in the file'),
      new: z.string().describe('Text to put in its place'),
      all: z.boolean().optional().describe('Replace every match'),
    }),
    async run(input) {
      const target = await guard.toWrite(input.path);
      const text = await readText(target, input.path, limits.maxFileBytes);
      const edited = replaceExactly(text, input);
      if (Buffer.byteLength(edited.text) > limits.maxFileBytes)
        throw new Denied(`${input.path} would be over ${limits.maxFileBytes} bytes`);
      await overwrite(target, edited.text);
      return {
        content: `edited ${input.path}: ${edited.count} ${edited.count === 1 ? 'place' : 'places'}`,
        summary: input.path,
      };
    },
  });
}

interface Edit {
  path: string;
  old: string;
  new: string;
  all?: boolean | undefined;
}

function replaceExactly(text: string, edit: Edit): { text: string; count: number } {
  if (edit.old === edit.new) throw new Denied('old and new are the same text; nothing was changed');
  const parts = text.split(edit.old);
  const count = parts.length - 1;
  if (count === 0)
    throw new Denied(
      `0 matches of old in ${edit.path}${lineEndHint(text, edit.old)}; read the file and copy the text exactly`,
    );
  if (count > 1 && edit.all !== true) {
    const lines = parts
      .slice(0, -1)
      .map((_, index) => lineCount(parts.slice(0, index + 1).join(edit.old)) + 1);
    const first = lines.slice(0, 10).join(', ');
    throw new Denied(
      `${count} matches of old in ${edit.path} (near lines ${first}); add lines around it, or set all`,
    );
  }
  return { text: parts.join(edit.new), count };
}

function lineEndHint(text: string, old: string): string {
  return text.includes(old.replaceAll('\n', '\r\n')) ? ' (its lines end with \\r\\n)' : '';
}

function excerpt(text: string, offset: number, limit: number | undefined, maxBytes: number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  if (offset > Math.max(lines.length, 1))
    throw new Denied(`the file has ${lines.length} lines; there is no line ${offset}`);
  const wanted = lines.slice(offset - 1, limit === undefined ? undefined : offset - 1 + limit);
  let bytes = 0;
  const fitting = wanted.findIndex((line) => (bytes += Buffer.byteLength(line)) > maxBytes);
  const shown = fitting === -1 ? wanted : wanted.slice(0, fitting);
  if (fitting === 0)
    return `${wanted[0]!.slice(0, Math.floor(maxBytes / 4))}\n[line ${offset} is too long and was cut]`;
  const last = offset - 1 + shown.length;
  const more =
    last < lines.length
      ? `\n[lines ${offset} to ${last} of ${lines.length}; go on with offset ${last + 1}]`
      : '';
  return shown.join('') + more;
}

async function readText(absolute: string, asked: string, maxBytes: number): Promise<string> {
  const file = await open(absolute, constants.O_RDONLY | OPEN_FLAGS).catch(() => undefined);
  if (file === undefined) throw new Denied(`${asked} does not exist or is not a file`);
  try {
    const stats = await file.stat();
    if (!stats.isFile())
      throw new Denied(
        stats.isDirectory() ? `${asked} is a folder; use list_files` : `${asked} is not a regular file`,
      );
    if (stats.size > maxBytes)
      throw new Denied(`${asked} has ${stats.size} bytes; at most ${maxBytes} are read`);
    return asText(await file.readFile(), asked);
  } finally {
    await file.close();
  }
}

function asText(bytes: Buffer, asked: string): string {
  try {
    if (!bytes.includes(0)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // Told below.
  }
  throw new Denied(`${asked} is a binary file of ${bytes.length} bytes`);
}

async function overwrite(absolute: string, content: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | OPEN_FLAGS;
  const file: FileHandle = await open(absolute, flags, 0o644);
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
}

function lineCount(text: string): number {
  return text === '' ? 0 : text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
}
