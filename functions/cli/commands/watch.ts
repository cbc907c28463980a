import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { isTerminalStage } from '../client/follow-events.ts';
import { followRun, retellRun } from '../client/follow-run.ts';
import { locateRun, type LocatedRun } from '../client/locate-run.ts';
import { exitCodeOfRun, needsDecision } from '../exit-codes.ts';
import { sayDecisions } from '../say-decisions.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { renderTimelineLine } from '../render/timeline-line.ts';
import type { Screen } from '../screen.ts';

export function watchCommand({ screen, end }: Cli): Command {
  return withUrl(
    newCommand(
      'watch',
      'follows a run from its beginning to its end',
      'one event per line, as the API sends them',
    ),
  )
    .argument('<run>', 'its id, or enough of its start')
    .action(async (prefix: string, options: ApiOptions) => {
      const located = await locateRun(configOf(options), prefix);
      const interrupt = onInterrupt();
      try {
        const run = await watch(located, screen, { json: options.json === true, signal: interrupt.signal });
        end(exitCodeOfRun(run));
      } catch (error) {
        if (!interrupt.signal.aborted) throw error;
        screen.aside(
          `run ${located.run.view.id} goes on; 'npx penstock watch ${located.run.view.id}' follows it again`,
        );
        end(interrupt.exitCode);
      } finally {
        interrupt.dispose();
        await located.source.close();
      }
    });
}

async function watch(
  { source, run }: LocatedRun,
  screen: Screen,
  options: { json: boolean; signal: AbortSignal },
) {
  const { id } = run.view;
  const tell = source.kind === 'server' ? followRun : retellRun;
  const told = await tell(
    source.client,
    id,
    (line) => options.json || screen.out(renderTimelineLine(line, screen.paint)),
    {
      signal: options.signal,
      ...(options.json ? { onEvent: (event: unknown) => screen.json(event) } : {}),
    },
  );
  if (!options.json) await sayDecisions({ source, run: told }, screen);
  if (isTerminalStage(told.stage) || needsDecision(told)) return told;
  throw new PenstockError(
    'unavailable',
    `run ${id} is ${told.stage} and nothing works on it; 'penstock up --data ${source.name}' goes on with it`,
  );
}
