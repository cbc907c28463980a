import type { RepositoryContract } from '../../messages/repository-contract.ts';
import type { Sandbox } from '../../ports/sandbox.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { PathGuard } from './path-guard.ts';

export interface ToolLimits {
  shellTimeoutMs: number;
  testTimeoutMs: number;
  /** Of what one call hands to the model. */
  maxOutputBytes: number;
  /** Of one file that is read, edited or written. */
  maxFileBytes: number;
}

export const DEFAULT_TOOL_LIMITS: ToolLimits = {
  shellTimeoutMs: 2 * 60_000,
  testTimeoutMs: 10 * 60_000,
  maxOutputBytes: 30_000,
  maxFileBytes: 1024 * 1024,
};

/** What the agent's file allows; what is not named is denied. */
export interface ToolAllowance {
  tools: readonly string[];
  operations: readonly ('read' | 'write' | 'execute')[];
  /** Globs below the checkout. */
  paths: readonly string[];
}

/** What every tool of one attempt works with. */
export interface ToolContext {
  workspace: Workspace;
  sandbox: Sandbox;
  contract: RepositoryContract;
  limits: ToolLimits;
  guard: PathGuard;
}
