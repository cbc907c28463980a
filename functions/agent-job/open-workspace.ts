import { join } from 'node:path';
import { runSetup } from '../../shared/adapters/tools/run-checks.ts';
import type { ChangeSetWithContents } from '../../shared/adapters/workspace/collect-change-set.ts';
import { prepareWorkspace } from '../../shared/adapters/workspace/prepare-workspace.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import type { AttemptBrief } from '../../shared/messages/attempt-api.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Job } from './job.ts';

/** Throws `invalid` when the brief names no repository to work in. */
export function assertRepository({ attempt }: Pick<Job, 'attempt'>): void {
  const { target, clone, task } = attempt.brief;
  if (target !== undefined && clone !== undefined) return;
  throw new PenstockError(
    'invalid',
    `Task ${task} runs in a job but names no repository to clone. Submit the requirement with one.`,
  );
}

/** A clean checkout with the inputs applied and the repository's own set-up commands run. */
export async function openWorkspace(job: Job, inputs: ChangeSetWithContents[]): Promise<Workspace> {
  const { target, clone } = job.attempt.brief;
  if (target === undefined || clone === undefined)
    throw new PenstockError('invalid', 'There is no repository to clone.');
  const { url, authorization } = clone;
  const workspace = await prepareWorkspace({
    directory: job.folder,
    service: target.service,
    clone: authorization === undefined ? { url } : { url, authorization },
    baseSha: target.baseSha,
    inputs,
    signal: job.steering.signal,
  });
  await setUp(job, workspace);
  return workspace;
}

/** Set-up runs with the network, so it may fail for reasons that pass. */
async function setUp(job: Job, workspace: Workspace): Promise<void> {
  const { sandbox, steering, transcript, mayRunCode } = job;
  const { contract } = job.attempt.brief;
  if (!mayRunCode || contract.setup === undefined) return;
  const results = await runSetup({ sandbox, workspace, contract, signal: steering.signal });
  steering.signal.throwIfAborted();
  transcript.write({ kind: 'checks', results });
  const failed = results.find(({ passed }) => !passed);
  if (failed === undefined) return;
  const message = `The repository's set-up command \`${failed.command}\` failed with exit code ${failed.exitCode ?? 'none'}:\n${failed.outputTail.slice(-2_000)}`;
  throw new PenstockError('unavailable', message, { retry: 'later' });
}

/** Folder of one attempt; two attempts never share one. */
export function attemptFolder(
  dataFolder: string,
  { run, task, generation }: Pick<AttemptBrief, 'run' | 'task' | 'generation'>,
): string {
  return join(dataFolder, 'jobs', `${run}-${task}-${generation}`);
}
