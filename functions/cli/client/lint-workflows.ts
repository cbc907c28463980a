import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Problem } from '../../../shared/adapters/workflows/syntax/problems.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';

export interface LintedFile {
  file: string;
  problems: Problem[];
}

const SUFFIX = /\.(?:yaml|yml|json)$/;

/** The workflows of a folder, by name. */
export function workflowFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => SUFFIX.test(file))
      .toSorted()
      .map((file) => join(folder, file));
  } catch (cause) {
    throw new PenstockError('invalid', `${folder} cannot be read; name a folder of workflows by --folder`, {
      cause,
    });
  }
}

export function readWorkflowFile(file: string): { name: string; text: string } {
  try {
    return { name: basename(file).replace(SUFFIX, ''), text: readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new PenstockError('invalid', `${file} cannot be read; name a file with a workflow`, { cause });
  }
}

/** What is wrong with each file, or nothing. */
export async function lintFiles(files: readonly string[]): Promise<LintedFile[]> {
  const { loadWorkflow } = await import('../../../shared/adapters/workflows/syntax/load-workflow.ts');
  const { runJobsConnectors } = await import('../../../shared/adapters/workflows/connectors/run-jobs.ts');
  const connectors = runJobsConnectors();
  return files.map((file) => {
    const { name, text } = readWorkflowFile(file);
    return { file, problems: loadWorkflow(text, { name, connectors }).problems };
  });
}

/** `FILE:LINE:COLUMN MESSAGE`, as editors understand it. */
export function problemLine(file: string, { line, column, message }: Problem): string {
  return `${file}:${line}:${column} ${message}`;
}
