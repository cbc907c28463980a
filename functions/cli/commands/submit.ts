import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type Cli, newCommand } from '../cli.ts';
import { followRun } from '../client/follow-run.ts';
import { runAnswers } from '../client/run-answers.ts';
import type { Source } from '../client/sources.ts';
import { submitRequirement } from '../client/submit-requirement.ts';
import { exitCodeOfRun } from '../exit-codes.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { sayDecisions } from '../say-decisions.ts';
import { closingText } from '../render/closing-text.ts';
import { planText } from '../render/plan-text.ts';
import { renderTimelineLine } from '../render/timeline-line.ts';
import type { Screen } from '../screen.ts';
import { requirementOf, type RequirementOptions, sourceOf, withRequirement } from './requirement-options.ts';

interface SubmitOptions extends RequirementOptions {
  dryRun?: boolean;
  wait: boolean;
}

export function submitCommand(cli: Cli): Command {
  const json = 'the run as the API answers it at its end; with --no-wait the answer to the submission';
  return withRequirement(newCommand('submit', 'hands in a requirement and follows its run', json))
    .option('--plan <file>', 'your own plan, JSON or YAML: skips decomposition')
    .option('--dry-run', 'stops after the plan')
    .option('--wait', 'follows the run to its end', true)
    .option('--no-wait', 'returns as soon as it is accepted')
    .action((words: string[], options: SubmitOptions) => submit(cli, words, options));
}

export async function submit({ screen, end }: Cli, words: string[], options: SubmitOptions): Promise<void> {
  const body = { ...(await requirementOf(words, options)), dryRun: options.dryRun === true };
  const { source, isOwn } = await sourceOf(options);
  const interrupt = onInterrupt();
  let runId = '';
  try {
    if (isOwn && !options.wait) {
      throw new PenstockError(
        'invalid',
        `no server answers, so the run would end with this process; leave out --no-wait, or start 'penstock up'`,
      );
    }
    const accepted = await submitRequirement(source.client, body);
    ({ runId } = accepted.view);
    if (options.wait) end(await follow(source, runId, screen, { ...options, signal: interrupt.signal }));
    else sayAccepted(screen, source, accepted, options.json === true);
  } catch (error) {
    if (!interrupt.signal.aborted || runId === '') throw error;
    screen.aside(
      isOwn
        ? `run ${runId} stopped with this process; 'npx penstock show ${runId}' shows how far it came`
        : `run ${runId} goes on; 'npx penstock watch ${runId}' follows it again`,
    );
    end(interrupt.exitCode);
  } finally {
    interrupt.dispose();
    await source.close();
  }
}

type Accepted = Awaited<ReturnType<typeof submitRequirement>>;

function sayAccepted(screen: Screen, source: Source, { raw, view }: Accepted, json: boolean): void {
  if (json) return screen.json(raw);
  screen.out(`run ${view.runId} accepted   ${source.name}${view.links.page}`);
  screen.out(`  npx penstock watch ${view.runId}`);
}

interface FollowedOptions {
  json?: boolean;
  dryRun?: boolean;
  signal: AbortSignal;
}

async function follow(source: Source, runId: string, screen: Screen, options: FollowedOptions) {
  const { client } = source;
  const json = options.json === true;
  const run = await followRun(
    client,
    runId,
    (line) => json || screen.out(renderTimelineLine(line, screen.paint)),
    options,
  );
  if (json) screen.json((await runAnswers.run(client, runId)).raw);
  else {
    if (options.dryRun === true && run.plan !== undefined) {
      for (const line of ['', ...planText(run, (await runAnswers.plan(client, runId)).view)])
        screen.out(line);
    }
    const [tasks, cost] = await Promise.all([
      runAnswers.tasks(client, runId),
      runAnswers.cost(client, runId),
    ]);
    for (const line of ['', ...closingText(run, tasks.view, cost.view)]) screen.out(line);
    await sayDecisions({ source, run }, screen);
  }
  return exitCodeOfRun(run);
}
