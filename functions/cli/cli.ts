import { Command } from 'commander';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { type CliConfig, readCliConfig } from '../../shared/runtime/cli-config.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Screen } from './screen.ts';

/** What every command is given. */
export interface Cli {
  screen: Screen;
  /** How the program ends. */
  end: (code: ExitCode) => void;
}

/** Options that every command that asks the API has. */
export interface ApiOptions {
  json?: boolean;
  url?: string;
}

/** A command with `--json`, and the text that its help says about it. */
export function newCommand(name: string, description: string, json: string): Command {
  return new Command(name).description(description).option('--json', `for programs: ${json}`);
}

export function withUrl(command: Command): Command {
  return command.option(
    '--url <url>',
    'where Penstock runs (default: PENSTOCK_URL, else http://127.0.0.1:8080)',
  );
}

/** The environment, with what the command line says instead. */
export function configOf({ url }: Pick<ApiOptions, 'url'> = {}): CliConfig {
  const config = readCliConfig();
  if (url === undefined) return config;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new PenstockError('invalid', `--url is '${url}' and takes an http or https URL`);
  return { ...config, url: url.replace(/\/+$/, '') };
}
