import type { Command } from 'commander';
import { type Cli, newCommand } from '../cli.ts';
import { followRun } from '../client/follow-run.ts';
import { runAnswers } from '../client/run-answers.ts';
import { submitRequirement } from '../client/submit-requirement.ts';
import { exitCodeOfRun } from '../exit-codes.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { planText } from '../render/plan-text.ts';
import { renderTimelineLine } from '../render/timeline-line.ts';
import { requirementOf, type RequirementOptions, sourceOf, withRequirement } from './requirement-options.ts';

export function planCommand({ screen, end }: Cli): Command {
  const json = '{"run", "plan"}, each as the API answers it; "plan" is null where there is none';
  return withRequirement(newCommand('plan', 'plans a requirement and executes nothing', json)).action(
    async (words: string[], options: RequirementOptions) => {
      const body = { ...(await requirementOf(words, options)), dryRun: true };
      const { source } = await sourceOf(options);
      const interrupt = onInterrupt();
      try {
        const { client } = source;
        const { runId } = (await submitRequirement(client, body)).view;
        const run = await followRun(
          client,
          runId,
          (line) => line.isBad === true && screen.aside(renderTimelineLine(line, screen.paint)),
          interrupt,
        );
        const plan = run.plan === undefined ? undefined : await runAnswers.plan(client, runId);
        if (options.json === true)
          screen.json({ run: (await runAnswers.run(client, runId)).raw, plan: plan?.raw ?? null });
        else if (plan !== undefined) for (const line of planText(run, plan.view)) screen.out(line);
        end(exitCodeOfRun(run));
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        end(interrupt.exitCode);
      } finally {
        interrupt.dispose();
        await source.close();
      }
    },
  );
}
