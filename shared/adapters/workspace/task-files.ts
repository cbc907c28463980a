import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { generation as generationSchema, taskId } from '../../messages/identifiers.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Workspace } from './workspace.ts';

export interface TaskFiles {
  task: string;
  /** The attempt's generation. */
  attempt: number;
  taskText: string;
  designSpec: string;
  prompt: string;
  /** Ids, attempt, configuration version, model, trace: nothing secret. */
  metadata: Record<string, unknown>;
}

/**
 * Writes the attempt's four files (002-35, 002-36) and the CLAUDE.md that imports them (002-37), beside the checkout,
 * where no change set reaches. Answers their folder. One folder per attempt: an existing one is a `conflict`.
 */
export async function writeTaskFiles(
  workspace: Pick<Workspace, 'directory' | 'service'>,
  files: TaskFiles,
): Promise<string> {
  const name = `.task/${taskId.parse(files.task)}/run-${generationSchema.parse(files.attempt)}`;
  const root = join(workspace.directory, 'workspace');
  const folder = join(root, name);
  await mkdir(join(folder, '..'), { recursive: true });
  await mkdir(folder).catch((cause: unknown) => {
    throw new PenstockError(
      'conflict',
      `${folder} is there already; files of an attempt are never overwritten`,
      { cause },
    );
  });
  const contents = {
    'task.md': files.taskText,
    'design-spec.md': files.designSpec,
    'prompt.md': files.prompt,
    'metadata.yaml': stringify(files.metadata),
  };
  for (const [file, text] of Object.entries(contents))
    await writeFile(join(folder, file), text, { flag: 'wx' });
  await writeFile(join(root, 'CLAUDE.md'), instructions(workspace.service, name));
  return folder;
}

function instructions(service: string, folder: string): string {
  const imports = ['task.md', 'design-spec.md', 'prompt.md'].map((file) => `@${folder}/${file}`);
  return [
    `# ${service}`,
    '',
    `The checkout is ./${service}. Work there and nowhere else.`,
    '',
    ...imports,
    '',
  ].join('\n');
}
