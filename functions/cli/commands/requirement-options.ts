import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, configOf, withUrl } from '../cli.ts';
import { hostRun } from '../client/host-run.ts';
import { readPlanFile, readTarget } from '../client/read-target.ts';
import { findServer, type Source } from '../client/sources.ts';
import type { RequirementInput } from '../client/submit-requirement.ts';

export interface RequirementOptions extends ApiOptions {
  repo: string | false;
  base?: string;
  budget?: string;
  priority?: string;
  driver?: string;
  flag?: string[];
  plan?: string;
  model?: string;
  unsafeNoSandbox?: boolean;
}

/** What `submit` and `plan` ask alike. */
export function withRequirement(command: Command): Command {
  return withUrl(command)
    .argument('<requirement...>', 'what you want, in your own words')
    .option('--repo <repository>', 'a checkout on this machine, or owner/name on GitHub', '.')
    .option('--no-repo', 'the requirement is about no repository')
    .option('--base <ref>', 'branch to start from (default: the repository’s own)')
    .option('--budget <usd>', 'what the run may spend at most')
    .option('--priority <p>', 'critical, high, normal or low, or 1 to 10')
    .option(
      '--driver <name>',
      'direct, or the workflow that asks for its stages (default: PENSTOCK_DRIVER of the server)',
    )
    .option(
      '--flag <name>',
      'what its workflow is told about it, such as needs_mobile; again for another',
      collect,
    )
    .option('--model <model>', 'without a server: anthropic or script:FILE')
    .option(
      '--unsafe-no-sandbox',
      'without a server: lets a live model run commands although nothing confines them',
    );
}

function collect(name: string, before: string[] = []): string[] {
  return [...before, name];
}

export async function requirementOf(words: string[], options: RequirementOptions): Promise<RequirementInput> {
  const { base, budget, priority, driver, flag, plan, repo } = options;
  return {
    requirement: words.join(' '),
    ...(repo === false ? {} : { repository: await readTarget(repo) }),
    ...(base === undefined ? {} : { baseRef: base }),
    ...(budget === undefined ? {} : { budgetUsd: budgetOf(budget) }),
    ...(priority === undefined ? {} : { priority: priorityOf(priority) }),
    ...(driver === undefined ? {} : { driver }),
    ...(flag === undefined ? {} : { flags: Object.fromEntries(flag.map((name) => [name, true])) }),
    ...(plan === undefined ? {} : { plan: await readPlanFile(plan) }),
  };
}

/** A server that answers; otherwise the platform in this process. A model that is named is always for this process. */
export async function sourceOf(options: RequirementOptions): Promise<{ source: Source; isOwn: boolean }> {
  const config = configOf(options);
  if (options.model !== undefined && config.url !== undefined) {
    throw new PenstockError(
      'invalid',
      `the server at ${config.url} has a model of its own; leave out --model, or --url and PENSTOCK_URL`,
    );
  }
  const server = options.model === undefined ? await findServer(config) : undefined;
  if (server !== undefined) return { source: server, isOwn: false };
  return {
    source: await hostRun(config, { model: options.model, unsafeNoSandbox: options.unsafeNoSandbox }),
    isOwn: true,
  };
}

/** Of `--budget`. Throws `invalid` for what is no amount. */
export function budgetOf(text: string): number {
  const value = Number(text.replace(/^\$/, ''));
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new PenstockError('invalid', `--budget is '${text}' and takes an amount of US dollars, such as 2.50`);
}

function priorityOf(text: string): NonNullable<RequirementInput['priority']> {
  const names = ['critical', 'high', 'normal', 'low'] as const;
  const name = names.find((known) => known === text);
  if (name !== undefined) return name;
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= 10) return number;
  throw new PenstockError(
    'invalid',
    `--priority is '${text}' and takes critical, high, normal, low, or a number from 1 to 10`,
  );
}
