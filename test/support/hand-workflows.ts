import type { WorkflowExecution, WorkflowState } from '../../shared/ports/workflow-starter.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { WakeNotice, Workflows } from '../../shared/ports/workflow-callbacks.ts';

export interface HandWorkflows extends Workflows {
  /** Started executions with their runs, oldest first. */
  started: (WorkflowExecution & { run: string })[];
  cancelled: string[];
  /** Delivered callbacks, oldest first. */
  wakes: (WakeNotice & { execution: string; callback: string })[];
  states: Map<string, WorkflowState>;
  /** Nobody answers: nothing is started, read, cancelled or woken. */
  isDown: boolean;
}

/** Executions that do nothing by themselves: the test plays the workflow. */
export function createHandWorkflows(): HandWorkflows {
  const reach = async (): Promise<void> => {
    await Promise.resolve();
    if (hand.isDown) throw new PenstockError('unavailable', 'no answer', { retry: 'later' });
  };
  const hand: HandWorkflows = {
    started: [],
    cancelled: [],
    wakes: [],
    states: new Map(),
    isDown: false,
    start: async ({ workflow, argument }) => {
      await reach();
      const id = `e${hand.started.length + 1}`;
      hand.started.push({ workflow, id, run: argument.run });
      hand.states.set(id, 'active');
      return { workflow, id };
    },
    state: async ({ id }) => {
      await reach();
      return hand.states.get(id) ?? 'unavailable';
    },
    cancel: async ({ id }) => {
      await reach();
      hand.cancelled.push(id);
      hand.states.set(id, 'cancelled');
    },
    wake: async ({ id: execution }, callback, notice) => {
      await reach();
      hand.wakes.push({ ...notice, execution, callback });
    },
  };
  return hand;
}
