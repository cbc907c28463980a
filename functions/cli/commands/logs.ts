import type { Command } from 'commander';
import type { TaskView } from '../../../shared/messages/run-view.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { locateRun, type LocatedRun } from '../client/locate-run.ts';
import { runAnswers } from '../client/run-answers.ts';
import { type AttemptName, readTranscript } from '../client/transcripts.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { transcriptText } from '../render/transcript-text.ts';
import type { Screen } from '../screen.ts';

interface LogsOptions extends ApiOptions {
  attempt?: string;
  follow?: boolean;
}

export function logsCommand({ screen, end }: Cli): Command {
  return withUrl(
    newCommand(
      'logs',
      'shows what an agent said, ran and read',
      'the lines of the transcript as they are stored',
    ),
  )
    .argument('<run>', 'its id, or enough of its start')
    .argument('<task>', 'the id of a task')
    .option('--attempt <n>', 'which of its attempts (default: the newest)')
    .option('--follow', 'waits for more until the attempt ends')
    .action(async (prefix: string, taskId: string, options: LogsOptions) => {
      const located = await locateRun(configOf(options), prefix);
      const interrupt = onInterrupt();
      try {
        const attempt = await findAttempt(located, taskId, options.attempt);
        const follow = options.follow === true && located.source.kind === 'server';
        await printTranscript(located, attempt, screen, {
          json: options.json === true,
          follow,
          signal: interrupt.signal,
        });
        end(exitCodes.done);
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        end(interrupt.exitCode);
      } finally {
        interrupt.dispose();
        await located.source.close();
      }
    });
}

async function findAttempt(
  { source, run }: LocatedRun,
  taskId: string,
  wanted: string | undefined,
): Promise<AttemptName> {
  const { view: tasks } = await runAnswers.tasks(source.client, run.view.id);
  const task = tasks.find(({ id }) => id === taskId);
  if (task === undefined) {
    const names = tasks.map(({ id }) => id).join(', ') || 'none yet';
    throw new PenstockError('not_found', `run ${run.view.id} has no task '${taskId}'; its tasks: ${names}`);
  }
  return { run: run.view.id, task: taskId, generation: generationOf(task, wanted) };
}

function generationOf(task: TaskView, wanted: string | undefined): number {
  const generations = task.attempts.map(({ generation }) => generation);
  const newest = generations.at(-1);
  if (newest === undefined)
    throw new PenstockError('not_found', `task ${task.id} is ${task.state}: it has no attempt yet`);
  if (wanted === undefined) return newest;
  if (generations.includes(Number(wanted))) return Number(wanted);
  throw new PenstockError(
    'not_found',
    `task ${task.id} has no attempt '${wanted}'; it has ${generations.join(', ')}`,
  );
}

interface PrintOptions {
  json: boolean;
  follow: boolean;
  signal: AbortSignal;
}

async function printTranscript(
  { source }: LocatedRun,
  attempt: AttemptName,
  screen: Screen,
  options: PrintOptions,
): Promise<void> {
  for await (const { text, line } of readTranscript(source.client, attempt, options)) {
    if (options.json) screen.out(text);
    else if (line !== undefined) for (const shown of transcriptText(line, screen.paint)) screen.out(shown);
    await screen.drain();
  }
}
