import { z } from 'zod';
import type { CheckResult } from '../../messages/change-set.ts';
import type { Tool } from '../../ports/tool.ts';
import { workspaceDiff } from '../workspace/workspace-diff.ts';
import { defineTool } from './define-tool.ts';
import { runChecks, shellCommand } from './run-checks.ts';
import type { ToolContext } from './tool-context.ts';

export function shellTool({ workspace, sandbox, limits }: ToolContext): Tool {
  return defineTool({
    name: 'shell',
    description: `Runs a command with sh in the root of the repository, without a network, for at most ${Math.round(limits.shellTimeoutMs / 1000)} s.`,
    input: z.strictObject({ command: z.string().min(1).max(20_000) }),
    async run({ command }, signal) {
      const result = await sandbox.run({
        argv: shellCommand(command),
        cwd: workspace.checkout,
        writable: [workspace.checkout, workspace.home],
        env: { HOME: workspace.home, NO_COLOR: '1' },
        network: 'none',
        timeoutMs: limits.shellTimeoutMs,
        maxOutputBytes: limits.maxOutputBytes,
        signal,
      });
      const how = result.timedOut
        ? `stopped after ${limits.shellTimeoutMs} ms`
        : `exit code ${result.exitCode ?? 'none: a signal ended it'}`;
      const output = (result.stdout + result.stderr).trimEnd();
      return {
        content: `${output}${output === '' ? '' : '\n'}[${how}]`,
        isError: result.exitCode !== 0,
        summary: how,
      };
    },
  });
}

export function runTestsTool({ workspace, sandbox, contract, limits }: ToolContext): Tool {
  return defineTool({
    name: 'run_tests',
    description:
      'Runs the tests of the repository and answers the exit code, a summary and the end of the output.',
    input: z.strictObject({}),
    async run(_input, signal) {
      const results = await runChecks({
        sandbox,
        workspace,
        contract,
        kinds: ['test'],
        timeoutMs: limits.testTimeoutMs,
        signal,
      });
      const passed = results.every((result) => result.passed);
      const content = results.map(described).join('\n\n');
      const summary = `${passed ? 'passed' : 'failed'}: ${results.map((result) => result.summary || `exit code ${result.exitCode}`).join('; ')}`;
      return { content, isError: !passed, summary: summary.slice(0, 300) };
    },
  });
}

function described(result: CheckResult): string {
  if (result.command === '') return `[${result.summary}]`;
  const verdict = `${result.passed ? 'passed' : 'FAILED'}, exit code ${result.exitCode ?? 'none'}${result.summary === '' ? '' : `: ${result.summary}`}`;
  return `$ ${result.command}\n${result.outputTail.trimEnd()}\n[${verdict}]`;
}

export function gitDiffTool({ workspace, limits }: ToolContext): Tool {
  return defineTool({
    name: 'git_diff',
    description: 'Shows all changes since the task began, new files too.',
    input: z.strictObject({}),
    async run() {
      const diff = await workspaceDiff(workspace, limits.maxOutputBytes);
      return { content: diff === '' ? 'no changes' : diff, summary: `${diff.length} characters` };
    },
  });
}
