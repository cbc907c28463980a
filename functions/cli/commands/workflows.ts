import { Argument, type Command, InvalidArgumentError } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { shippedPath } from '../../../shared/runtime/shipped-path.ts';
import { type Cli, newCommand } from '../cli.ts';
import { type LintedFile, lintFiles, problemLine, workflowFiles } from '../client/lint-workflows.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Screen } from '../screen.ts';

export interface WorkflowsOptions {
  json?: boolean;
  folder: string;
  data?: string;
  env: Record<string, string>;
  trace?: boolean;
  virtualTime?: boolean;
  googleAuth?: boolean;
}

const actions = ['list', 'lint', 'run'] as const;
type Action = (typeof actions)[number];

const JSON_TEXT =
  'list: {"workflows": [{"name", "file", "purpose"}]}; lint: {"ok", "files": [{"file", "problems"}]}; run: what the workflow returns';

/** `penstock workflows [list]`, `… lint [FILE...]`, `… run FILE`. */
export function workflowsCommand(cli: Cli): Command {
  return newCommand('workflows', 'lists, checks and runs workflows on this machine', JSON_TEXT)
    .addArgument(new Argument('[action]', 'what to do').choices(actions).default('list'))
    .argument('[files...]', 'to lint (default: those of the folder), or the one to run')
    .option('--folder <folder>', 'where workflows are', shippedPath('workflows'))
    .option('--data <json>', 'the argument of run')
    .option(
      '--env <name=value>',
      'what sys.get_env answers in run; may be given again and again',
      addVariable,
      {},
    )
    .option('--trace', 'shows each step of run with its line, its state and what it wrote')
    .option('--google-auth', 'lets calls of run with auth ask with your Google credentials')
    .option('--virtual-time', 'lets sleeps, retries and timeouts of run take no time')
    .action(async (action: Action, files: string[], options: WorkflowsOptions) => {
      if (action === 'list') await list(cli, options);
      else if (action === 'lint') await lint(cli, files, options);
      else await run(cli, files, options);
    });
}

function addVariable(pair: string, others: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(pair) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It takes NAME=VALUE.');
  return { ...others, [name]: value };
}

async function list({ screen, end }: Cli, { folder, json }: WorkflowsOptions): Promise<void> {
  const { describeWorkflows } = await import('../client/describe-workflows.ts');
  const workflows = describeWorkflows(workflowFiles(folder));
  if (json === true) screen.json({ workflows });
  else if (workflows.length === 0) screen.out(`no workflows in ${folder}`);
  else for (const { name, purpose } of workflows) screen.out(`${name.padEnd(16)}${purpose}`.trimEnd());
  end(exitCodes.done);
}

async function lint(
  { screen, end }: Cli,
  files: string[],
  { folder, json }: WorkflowsOptions,
): Promise<void> {
  const linted = await lintFiles(files.length > 0 ? files : workflowFiles(folder));
  const ok = linted.every(({ problems }) => problems.every(({ severity }) => severity !== 'error'));
  if (json === true) screen.json({ ok, files: linted });
  else sayProblems(screen, linted);
  end(ok ? exitCodes.done : exitCodes.failed);
}

function sayProblems(screen: Screen, linted: readonly LintedFile[]): void {
  for (const { file, problems } of linted) {
    const errors = problems.filter(({ severity }) => severity === 'error');
    const unverified = problems.filter(({ severity }) => severity === 'unverified');
    for (const problem of errors) screen.out(problemLine(file, problem));
    if (unverified.length > 0) screen.out(`${file}: unverified against Google:`);
    for (const problem of unverified) screen.out(`  ${problemLine(file, problem)}`);
    if (problems.length === 0) screen.out(`${file}: ok`);
  }
}

async function run(cli: Cli, [file, ...others]: string[], options: WorkflowsOptions): Promise<void> {
  if (file === undefined || others.length > 0)
    throw new PenstockError('invalid', 'say which one file to run: penstock workflows run FILE');
  const { runWorkflow } = await import('../client/run-workflow.ts');
  await runWorkflow(cli, file, options);
}
