import { realpath } from 'node:fs/promises';
import { toolNames, type ToolName } from '../../messages/agent-file.ts';
import type { RepositoryContract } from '../../messages/repository-contract.ts';
import type { Sandbox } from '../../ports/sandbox.ts';
import type { Tool } from '../../ports/tool.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { gitDiffTool, runTestsTool, shellTool } from './command-tools.ts';
import { editFileTool, readFileTool, writeFileTool } from './file-tools.ts';
import { listFilesTool, searchTool } from './find-tools.ts';
import { createPathGuard } from './path-guard.ts';
import {
  DEFAULT_TOOL_LIMITS,
  type ToolAllowance,
  type ToolContext,
  type ToolLimits,
} from './tool-context.ts';

export interface WorkspaceToolsConfig {
  workspace: Workspace;
  sandbox: Sandbox;
  /** The contract of the base: its test commands, and its `paths` for what may be changed. */
  contract: RepositoryContract;
  allow: ToolAllowance;
  /** @default DEFAULT_TOOL_LIMITS */
  limits?: Partial<ToolLimits>;
}

interface Offer {
  operation: ToolAllowance['operations'][number];
  make: (context: ToolContext) => Tool;
}

const OFFERS: Record<ToolName, Offer> = {
  list_files: { operation: 'read', make: listFilesTool },
  read_file: { operation: 'read', make: readFileTool },
  write_file: { operation: 'write', make: writeFileTool },
  edit_file: { operation: 'write', make: editFileTool },
  search: { operation: 'read', make: searchTool },
  shell: { operation: 'execute', make: shellTool },
  run_tests: { operation: 'execute', make: runTestsTool },
  git_diff: { operation: 'read', make: gitDiffTool },
};

/**
 * The tools that an agent may use on its workspace, in a fixed order; those it may not are not among them.
 * Calls run one after the other, also when the model asks for several at once.
 */
export async function createWorkspaceTools(config: WorkspaceToolsConfig): Promise<Tool[]> {
  const { workspace, sandbox, contract, allow } = config;
  const checkout = await realpath(workspace.checkout);
  const guard = createPathGuard({ checkout, paths: [...allow.paths], writablePaths: contract.paths });
  const context = {
    workspace,
    sandbox,
    contract,
    limits: { ...DEFAULT_TOOL_LIMITS, ...config.limits },
    guard,
  };
  const allowed = toolNames.filter(
    (name) => allow.tools.includes(name) && allow.operations.includes(OFFERS[name].operation),
  );
  return inTurn(allowed.map((name) => OFFERS[name].make(context)));
}

function inTurn(tools: Tool[]): Tool[] {
  let last: Promise<unknown> = Promise.resolve();
  return tools.map((tool) => ({
    spec: tool.spec,
    run(input, signal) {
      const result = last.then(() => tool.run(input, signal));
      last = result.catch(() => undefined);
      return result;
    },
  }));
}
