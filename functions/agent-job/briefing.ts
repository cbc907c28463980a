import { writeTaskFiles } from '../../shared/adapters/workspace/task-files.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import type { Job } from './job.ts';

/** The attempt's own files beside the checkout (002-35..37), for people and tools that look into a workspace. */
export async function writeBriefing(
  { attempt }: Job,
  workspace: Workspace,
  prompt: { system: string; user: string },
): Promise<void> {
  const { brief } = attempt;
  const specs = brief.dependencies
    .filter(({ output }) => output !== '')
    .map(({ task, output }) => `# ${task}\n\n${output}`);
  const acceptance = brief.acceptance.map((criterion) => `- ${criterion}`).join('\n');
  await writeTaskFiles(workspace, {
    task: brief.task,
    attempt: brief.generation,
    taskText: `# ${brief.title}\n\n${brief.instructions}\n\n${acceptance}\n`,
    designSpec: `${specs.join('\n\n')}\n`,
    prompt: `${prompt.system}\n\n${prompt.user}\n`,
    metadata: {
      run: brief.run,
      task: brief.task,
      generation: brief.generation,
      kind: brief.kind,
      agent: brief.agent,
      model: brief.model.id,
      baseSha: workspace.baseSha,
      ...(brief.traceparent === undefined ? {} : { traceparent: brief.traceparent }),
    },
  });
}
