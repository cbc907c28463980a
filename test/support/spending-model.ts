import type { Model } from '../../shared/ports/model.ts';

/** Answers nothing of interest and says that it used all that was set aside. */
export function createSpendingModel(): Model {
  return {
    provider: 'script',
    countTokens: () => Promise.resolve(900),
    answer: ({ model }) =>
      Promise.resolve({
        turn: { role: 'assistant', blocks: [{ type: 'text', text: 'ok' }] },
        stop: 'end',
        usage: { input: 900, output: 1_000, cacheRead: 0, cacheWrite: 0 },
        model,
      }),
  };
}
