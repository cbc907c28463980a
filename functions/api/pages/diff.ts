import { html } from 'hono/html';
import { plural } from './format.ts';
import type { Html } from './html.ts';

/** A longer file is folded. */
const OPEN_LINES = 300;

interface DiffFile {
  name: string;
  lines: string[];
}

/** A unified diff, file by file, coloured; wide lines scroll inside their file. */
export function diffFiles(diff: string): Html {
  const files = splitFiles(diff);
  return html`${files.map(fileBlock)}`;
}

function splitFiles(diff: string): DiffFile[] {
  const files: DiffFile[] = [];
  for (const line of diff.trimEnd().split('\n')) {
    const name = /^diff --git a\/.* b\/(.*)$/.exec(line)?.[1];
    if (name !== undefined) files.push({ name, lines: [] });
    else (files.at(-1) ?? push(files)).lines.push(line);
  }
  return files;
}

function push(files: DiffFile[]): DiffFile {
  const file = { name: 'diff', lines: [] };
  files.push(file);
  return file;
}

function fileBlock({ name, lines }: DiffFile, index: number): Html {
  const inHunks = lines.filter((line) => !/^(---|\+\+\+) /.test(line));
  const added = inHunks.filter((line) => line.startsWith('+')).length;
  const deleted = inHunks.filter((line) => line.startsWith('-')).length;
  const note = lines.find((line) => /^(new|deleted) file/.test(line))?.split(' ')[0] ?? '';
  const shown = lines.filter((line) => !/^(---|\+\+\+|new file|deleted file) /.test(line));
  return html`<details class="file" id="file-${index}" ${lines.length <= OPEN_LINES ? html` open` : ''}>
    <summary>
      <code>${name}</code> <span class="plus">+${added}</span> <span class="minus">−${deleted}</span>
      <span class="soft small">${note} ${lines.length > OPEN_LINES ? plural(lines.length, 'line') : ''}</span>
    </summary>
    <pre class="diff" tabindex="0">
${shown.map((line) => html`<span class="${lineClass(line)}">${line === '' ? ' ' : line}</span>`)}</pre>
  </details>`;
}

function lineClass(line: string): string {
  if (line.startsWith('+')) return 'add';
  if (line.startsWith('-')) return 'del';
  return line.startsWith('@@') || line.startsWith('\\') ? 'hunk' : 'same';
}
