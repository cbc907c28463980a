import type { Command } from 'commander';
import type { PlanView } from '../../../shared/messages/run-view.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { locateRun, type LocatedRun } from '../client/locate-run.ts';
import type { Answer } from '../client/read-answer.ts';
import { runAnswers } from '../client/run-answers.ts';
import { exitCodes } from '../exit-codes.ts';
import { runText } from '../render/run-text.ts';

export function showCommand({ screen, end }: Cli): Command {
  const json =
    '{"run", "plan", "tasks", "cost"}, each as the API answers it; "plan" is null before there is one';
  return withUrl(newCommand('show', 'shows a run: plan, tasks, attempts, checks, review, cost, reason', json))
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const located = await locateRun(configOf(options), prefix);
      try {
        const { run, plan, tasks, cost } = await readRun(located);
        if (options.json === true)
          screen.json({ run: run.raw, plan: plan?.raw ?? null, tasks: tasks.raw, cost: cost.raw });
        else
          for (const line of runText({ run: run.view, plan: plan?.view, tasks: tasks.view, cost: cost.view }))
            screen.out(line);
      } finally {
        await located.source.close();
      }
      end(exitCodes.done);
    });
}

async function readRun({ source: { client }, run }: LocatedRun) {
  const { id } = run.view;
  const [tasks, cost, plan] = await Promise.all([
    runAnswers.tasks(client, id),
    runAnswers.cost(client, id),
    run.view.plan === undefined ? undefined : runAnswers.plan(client, id).catch(undefinedIfAbsent),
  ]);
  return { run, tasks, cost, plan };
}

function undefinedIfAbsent(error: unknown): Answer<PlanView> | undefined {
  if (error instanceof PenstockError && error.code === 'not_found') return undefined;
  throw error;
}
