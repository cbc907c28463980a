/** What a workflow is started with. Its argument says for what, and an execution is found again by it. */
export interface WorkflowRequest {
  /** Name of the workflow, as a run's driver is called. */
  workflow: string;
  /** JSON, at most 32 KB. */
  argument: { tenant: string; run: string; [name: string]: unknown };
}

/** One execution of a workflow. */
export interface WorkflowExecution {
  workflow: string;
  /** As the execution itself knows it. */
  id: string;
}

/** `unavailable`: nothing can be said of it, or nothing any more. */
export type WorkflowState = 'active' | 'succeeded' | 'failed' | 'cancelled' | 'unavailable';

/** Runs workflows, each execution for one run, or for one attempt of it. */
export interface WorkflowStarter {
  /**
   * Starts one execution. A second one with the same argument does no harm: the run, or the attempt, refuses it.
   * @throws PenstockError `unavailable` or `timeout` when nobody can tell whether it was started; `config` for an unknown workflow
   */
  start(request: WorkflowRequest): Promise<WorkflowExecution>;
  /** Unknown or ended executions are fine. */
  cancel(execution: WorkflowExecution): Promise<void>;
  state(execution: WorkflowExecution): Promise<WorkflowState>;
}
