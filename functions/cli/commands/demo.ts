import type { Command } from 'commander';
import { processEnvironment } from '../../../shared/runtime/config.ts';
import { type Cli, configOf, newCommand } from '../cli.ts';

export function demoCommand({ screen, end }: Cli): Command {
  return newCommand(
    'demo',
    'shows one run from a GitHub issue to a pull request, on a stand-in for GitHub',
    'the run as the API answers it at its end',
  ).action(async ({ json }: { json?: boolean }) => {
    const { runDemo } = await import('../run-demo.ts');
    end(
      await runDemo(screen, { json: json === true, data: configOf().dataFolder, env: processEnvironment() }),
    );
  });
}
