import type { Block, Model, ModelAnswer, ModelRequest, Stop } from '../../../shared/ports/model.ts';

export type Reply = ModelAnswer | ((request: ModelRequest) => ModelAnswer | Promise<ModelAnswer>);

export interface QueuedModel extends Model {
  /** Each request as it was when it came, turns copied. */
  readonly requests: ModelRequest[];
}

/** A model in memory that gives one prepared reply per call, and fails when it is asked more often than that. */
export function createQueuedModel(replies: Reply[]): QueuedModel {
  const requests: ModelRequest[] = [];
  return {
    provider: 'script',
    requests,
    async answer(request) {
      const reply = replies[requests.length];
      requests.push({ ...request, turns: structuredClone(request.turns) });
      if (reply === undefined) throw new Error(`the model was asked ${requests.length} times`);
      return typeof reply === 'function' ? reply(request) : reply;
    },
    countTokens: async (request) => JSON.stringify(request.turns).length,
  };
}

export function says(text: string, stop: Stop = 'end'): ModelAnswer {
  return answered(text === '' ? [] : [{ type: 'text', text }], stop);
}

export function calls(...uses: [name: string, input: unknown][]): ModelAnswer {
  nextCall += uses.length;
  return answered(
    uses.map(([name, input], index): Block => ({
      type: 'tool_use',
      id: `call-${nextCall}-${index}`,
      name,
      input,
    })),
    'tool_use',
  );
}
let nextCall = 0;

export function answered(blocks: Block[], stop: Stop): ModelAnswer {
  return {
    turn: { role: 'assistant', blocks, raw: { provider: 'script', content: blocks } },
    stop,
    usage: { input: 10, output: 5, cacheRead: 0, cacheWrite: 0 },
    model: 'script-1',
  };
}
