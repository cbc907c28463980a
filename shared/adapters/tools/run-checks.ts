import { cutMiddle } from '../local/bounded-output.ts';
import { summariseTests } from '../../core/repository/summarise-tests.ts';
import type { CheckResult } from '../../messages/change-set.ts';
import type { RepositoryContract } from '../../messages/repository-contract.ts';
import type { Sandbox, SandboxResult } from '../../ports/sandbox.ts';
import type { Workspace } from '../workspace/workspace.ts';

export const CHECK_TIMEOUT_MS = 15 * 60_000;
/** What the record of a check can hold. */
const MAX_CHECKS = 20;
const MAX_COMMAND_CHARS = 1_000;
const MAX_TAIL_BYTES = 6_000;
/** Summaries of long runs stand at the end; this much is looked at. */
const MAX_OUTPUT_BYTES = 400_000;
const ENVIRONMENT = { CI: 'true', NO_COLOR: '1', npm_config_update_notifier: 'false' };

export type CheckKind = 'build' | 'lint' | 'test';

export interface CheckRequest {
  sandbox: Sandbox;
  workspace: Pick<Workspace, 'checkout' | 'home'>;
  contract: RepositoryContract;
  /** @default build, lint and test, in this order */
  kinds?: CheckKind[];
  /** Of each command. @default CHECK_TIMEOUT_MS */
  timeoutMs?: number;
  signal?: AbortSignal;
}

/**
 * Runs the contract's commands, each to its end. Only an exit code of 0 passes. Without a test command where tests are
 * asked for there is a result that did not pass: what was not checked is not green.
 */
export async function runChecks(request: CheckRequest): Promise<CheckResult[]> {
  const kinds = request.kinds ?? ['build', 'lint', 'test'];
  const commands = kinds
    .flatMap((kind) => request.contract[kind] ?? [])
    .filter((command) => command.trim() !== '');
  const hasTests = (request.contract.test ?? []).some((command) => command.trim() !== '');
  const missing = kinds.includes('test') && !hasTests ? [NO_TESTS] : [];
  const results: CheckResult[] = [];
  for (const command of commands.slice(0, MAX_CHECKS - 1))
    results.push(await runCommand(request, command, 'none'));
  const left = commands.length - results.length;
  return [...results, ...missing, ...(left > 0 ? [notRun(left)] : [])].slice(0, MAX_CHECKS);
}

/** Runs the contract's set-up commands, with the network, up to the first that fails. */
export async function runSetup(request: Omit<CheckRequest, 'kinds'>): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const command of request.contract.setup ?? []) {
    results.push(await runCommand(request, command, 'setup'));
    if (results.at(-1)?.passed !== true) break;
  }
  return results;
}

const NO_TESTS: CheckResult = {
  command: '',
  exitCode: null,
  passed: false,
  summary: 'none: the repository has no test command',
  outputTail: '',
  durationMs: 0,
};

function notRun(count: number): CheckResult {
  return { ...NO_TESTS, summary: `${count} commands were not run: at most ${MAX_CHECKS - 1} are` };
}

async function runCommand(
  request: CheckRequest,
  command: string,
  network: 'none' | 'setup',
): Promise<CheckResult> {
  const { checkout, home } = request.workspace;
  const timeoutMs = request.timeoutMs ?? CHECK_TIMEOUT_MS;
  const result = await request.sandbox.run({
    argv: shellCommand(command),
    cwd: checkout,
    writable: [checkout, home],
    env: { ...ENVIRONMENT, HOME: home },
    network,
    timeoutMs,
    maxOutputBytes: MAX_OUTPUT_BYTES,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  return {
    command: command.slice(0, MAX_COMMAND_CHARS),
    exitCode: result.exitCode,
    passed: result.exitCode === 0,
    summary: summaryOf(result, timeoutMs),
    outputTail: tail(result.stdout + result.stderr),
    durationMs: result.durationMs,
  };
}

/** A shell that writes both streams into one, so that their lines stand in the order in which they came. */
export function shellCommand(command: string): string[] {
  return ['sh', '-c', `exec 2>&1; ${command}`];
}

function summaryOf(result: SandboxResult, timeoutMs: number): string {
  if (result.timedOut) return `stopped after ${Math.round(timeoutMs / 1000)} s`;
  return summariseTests(result.stdout).slice(0, 300);
}

function tail(output: string): string {
  const bytes = Buffer.from(output);
  if (bytes.length <= MAX_TAIL_BYTES) return output;
  // Runners name what failed at the end; the start only says what was run.
  const start = cutMiddle(output, 1_000).split('\n… ')[0]!;
  const end = bytes
    .subarray(bytes.length - (MAX_TAIL_BYTES - 700))
    .toString('utf8')
    .replace(/^\ufffd+/, '');
  return `${start}\n…\n${end}`;
}
