import { readWorkflowFile } from './lint-workflows.ts';

export interface DescribedWorkflow {
  name: string;
  file: string;
  /** The first line of its header comment, without its name. */
  purpose: string;
}

export function describeWorkflows(files: readonly string[]): DescribedWorkflow[] {
  return files.map((file) => {
    const { name, text } = readWorkflowFile(file);
    const first = /^#\s*(.*)$/m.exec(text.split('\n', 1)[0] ?? '')?.[1] ?? '';
    return {
      name,
      file,
      purpose: first.startsWith(`${name}:`) ? first.slice(name.length + 1).trim() : first,
    };
  });
}
