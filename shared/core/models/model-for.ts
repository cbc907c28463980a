import type { Agent } from '../../messages/agent-file.ts';
import { modelCircuit } from '../circuits/circuit.ts';
import type { Ports } from '../ports.ts';
import { modelsPassedOver, modelTierOf } from '../remedy.ts';
import { type Task, taskPath } from '../task.ts';
import { chooseModel } from './choose-model.ts';
import { isRetired, type ModelEntry, modelTable } from './model-table.ts';

/**
 * The model of a task's newest attempt: of its agent's tier or a larger one where that was the remedy, past models whose circuit
 * is open and, while there are others, past those that failed this task. Throws `unavailable` (later) when none is left.
 */
export async function modelFor(
  ports: Pick<Ports, 'clock' | 'circuits'>,
  task: Task,
  agent: Pick<Agent, 'tier'>,
): Promise<ModelEntry> {
  const today = new Date(ports.clock.now()).toISOString().slice(0, 10);
  const gone: string[] = [];
  for (;;) {
    const passedOver = modelsPassedOver(task);
    const isLeft = modelTable.some(
      (model) => !isRetired(model, today) && ![...gone, ...passedOver].includes(model.id),
    );
    const unavailable = isLeft ? [...gone, ...passedOver] : gone;
    const model = chooseModel({ tier: modelTierOf(task, agent), unavailable, today });
    const gate = await ports.circuits.pass([modelCircuit(model.id)], taskPath(task));
    if (!gate.open) return model;
    gone.push(model.id);
  }
}
