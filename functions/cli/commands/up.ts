import { once } from 'node:events';
import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type Cli, configOf, newCommand } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { onInterrupt } from '../on-interrupt.ts';
import { upText } from '../render/up-text.ts';

interface UpOptions {
  port?: string;
  data?: string;
  model?: string;
  record?: string;
  unsafeNoSandbox?: boolean;
  json?: boolean;
}

export function upCommand({ screen, end }: Cli): Command {
  return newCommand(
    'up',
    'runs the whole system in this process until it is stopped',
    '{"url"} when it is up, and nothing else',
  )
    .option('--port <n>', 'where to listen (default: PORT, else 8080; 0: any free port)')
    .option('--data <folder>', 'where everything is kept (default: PENSTOCK_DATA, else .penstock)')
    .option('--model <model>', 'anthropic or script:FILE')
    .option('--record <file>', 'writes the answers of the model into a script that --model script:FILE plays')
    .option('--unsafe-no-sandbox', 'lets a live model run commands although nothing confines them')
    .action(async (options: UpOptions) => {
      const { data, json, record, unsafeNoSandbox } = options;
      const config = configOf();
      const model = options.model ?? config.model;
      const port = portOf(options.port);
      const { startUp } = await import('../../local/up.ts');
      const interrupt = onInterrupt();
      const up = await startUp({
        quiet: json === true,
        unsafeNoSandbox: unsafeNoSandbox === true,
        ...(record === undefined ? {} : { record }),
        ...(port === undefined ? {} : { port }),
        ...(data === undefined ? {} : { data }),
        ...(model === undefined ? {} : { model }),
      });
      if (json === true) screen.json({ url: up.url });
      else for (const line of upText(up, config)) screen.out(line);
      if (!interrupt.signal.aborted) await once(interrupt.signal, 'abort');
      interrupt.dispose();
      await up.stop();
      end(exitCodes.done);
    });
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new PenstockError('invalid', `--port is '${text}' and takes a number from 0 to 65535`);
}
