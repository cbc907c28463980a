import type { WorkflowExecution, WorkflowStarter } from './workflow-starter.ts';

/** What wakes a waiting execution; not trusted by it: it reads the run again. */
export interface WakeNotice {
  stage: string;
  sequence: number;
}

/** Wakes executions that wait at a callback endpoint of theirs. */
export interface WorkflowCallbacks {
  /**
   * Resolves when it was delivered, and where there is nobody to wake any more.
   * @throws PenstockError when it is to be delivered again, or nobody can tell whether it was
   */
  wake(execution: WorkflowExecution, callback: string, notice: WakeNotice): Promise<void>;
}

/** Everything that is asked of whatever runs workflows. */
export type Workflows = WorkflowStarter & WorkflowCallbacks;
