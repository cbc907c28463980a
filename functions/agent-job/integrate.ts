import { applyChangeSet, type ConflictingFile } from '../../shared/adapters/workspace/apply-change-set.ts';
import { collectChangeSet } from '../../shared/adapters/workspace/collect-change-set.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import { failure } from '../../shared/core/work/attempt-failures.ts';
import type { AttemptFailure, AttemptResultInput, FailureCode } from '../../shared/messages/attempt-api.ts';
import type { CheckResult } from '../../shared/messages/change-set.ts';
import { fetchInputs, type InputBundle } from './input-bundles.ts';
import type { Job } from './job.ts';
import { assertRepository, openWorkspace } from './open-workspace.ts';
import { proposeChangeSet } from './propose-change-set.ts';
import { areRed, createWorkspaceChecks, type WorkspaceChecks } from './workspace-checks.ts';

type Merge = { checks: CheckResult[] } | { failure: AttemptFailure; checks: CheckResult[] };

/** The work of the integrator, without a model: all change sets on a clean base in their order, checks after each, one change set out of all. */
export async function integrate(job: Job): Promise<AttemptResultInput> {
  const { attempt, stage } = job;
  await stage('load_configuration', () => undefined);
  const inputs = await stage('validate_dependencies', () => {
    assertRepository(job);
    return fetchInputs(attempt);
  });
  if (inputs.length === 0) return failed(failure('empty_output', 'There is no change set to integrate.'), []);
  const workspace = await stage('prepare_context', () => openWorkspace(job, []));
  const merge = await stage('execute_task', () =>
    applyAll(inputs, workspace, createWorkspaceChecks(job, workspace)),
  );
  if ('failure' in merge) return failed(merge.failure, merge.checks);
  const changes = await stage('process_output', () => collectChangeSet(workspace, merge.checks));
  if (changes.changeSet.entries.length === 0) {
    return failed(
      failure('empty_output', 'The change sets cancel each other out: nothing is left to change.'),
      merge.checks,
    );
  }
  const refused = await stage('store_results', () => proposeChangeSet(attempt, changes));
  if (refused !== undefined) return failed(refused, merge.checks);
  const { entries, added, deleted } = changes.changeSet;
  const summary = `${inputs.length} change sets applied in order: ${entries.length} files, +${added} −${deleted}.`;
  return stage('generate_handoff', () => ({ outcome: 'succeeded', summary, checks: merge.checks }));
}

function failed(reason: AttemptFailure, checks: CheckResult[]): AttemptResultInput {
  return { outcome: 'failed', failure: reason, checks };
}

/** The first change set after which green turns red is at fault; where the base was red already, only the end has to be green. */
async function applyAll(
  inputs: InputBundle[],
  workspace: Workspace,
  checks: WorkspaceChecks,
): Promise<Merge> {
  let results: CheckResult[] = [];
  let wasGreen: boolean | undefined;
  for (const [index, input] of inputs.entries()) {
    const applied = await applyChangeSet(workspace, input);
    if (applied.outcome === 'conflict')
      return {
        failure: owned('conflict', input.task, conflictText(input.task, applied.files)),
        checks: results,
      };
    if (isMendedNext(inputs, index)) continue;
    results = await checks.run();
    if (areRed(results)) {
      const isLast = index === inputs.length - 1;
      if (isLast || (wasGreen ?? (await checks.wereInputsGreen()))) {
        return { failure: owned('checks_red', input.task, redText(input.task, results)), checks: results };
      }
    }
    wasGreen = !areRed(results);
  }
  return { checks: results };
}

/** Ids of fixes are the platform's own. A change set is judged together with the fixes behind it: it is known to need them. */
function isMendedNext(inputs: InputBundle[], index: number): boolean {
  return /^fix-\d+$/.test(inputs[index + 1]?.task ?? '');
}

function owned(code: FailureCode, task: string, message: string): AttemptFailure {
  return { ...failure(code, message), task };
}

function conflictText(task: string, files: ConflictingFile[]): string {
  const parts = files.map(({ path, excerpt }) => `${path}:\n${excerpt.slice(0, 1_500)}`);
  return `The change set of task ${task} conflicts with the tasks before it in ${files.map(({ path }) => path).join(', ')}.\n\n${parts.join('\n\n')}`;
}

function redText(task: string, results: CheckResult[]): string {
  const parts = results
    .filter(({ passed }) => !passed)
    .map(
      ({ command, exitCode, summary, outputTail }) =>
        `\`${command}\` (exit code ${exitCode ?? 'none'}) ${summary}\n${outputTail.slice(-1_500)}`,
    );
  return `The checks are red with the change set of task ${task} applied.\n\n${parts.join('\n\n')}`;
}
