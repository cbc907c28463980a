import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { locateRun } from '../client/locate-run.ts';
import { exitCodes } from '../exit-codes.ts';

export function openCommand({ screen, end }: Cli): Command {
  return withUrl(
    newCommand('open', 'prints the address of a run’s page; on a terminal it opens a browser too', '{"url"}'),
  )
    .argument('<run>', 'its id, or enough of its start')
    .option('--no-browser', 'only prints the address')
    .action(async (prefix: string, options: ApiOptions & { browser: boolean }) => {
      const { source, run } = await locateRun(configOf(options), prefix);
      await source.close();
      if (source.kind === 'folder') {
        throw new PenstockError(
          'unavailable',
          `run ${run.view.id} is in ${source.name} and no server shows its page; start one with 'penstock up --data ${source.name}'`,
        );
      }
      const url = `${source.name}/runs/${run.view.id}`;
      if (options.json === true) screen.json({ url });
      else screen.out(url);
      if (screen.isInteractive && options.browser && options.json !== true) openBrowser(url);
      end(exitCodes.done);
    });
}

/** The address is on the screen already, so a machine without a browser loses nothing. */
function openBrowser(url: string): void {
  const openers: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
    darwin: ['open'],
    win32: ['explorer.exe'],
  };
  const [program, ...args] = openers[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
