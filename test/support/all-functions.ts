/** Every function by its name, each loaded with its first use. */
export const HTTP_FUNCTIONS = {
  webhooks: async () => (await import('../../functions/webhooks/webhooks.ts')).webhooks,
  intake: async () => (await import('../../functions/intake/intake.ts')).intake,
  api: async () => (await import('../../functions/api/api.ts')).api,
  attempts: async () => (await import('../../functions/attempts/attempts.ts')).attempts,
  stages: async () => (await import('../../functions/stages/stages.ts')).stages,
  sweep: async () => (await import('../../functions/sweep/sweep.ts')).sweep,
};
export const MESSAGE_FUNCTIONS = {
  decomposition: async () => (await import('../../functions/decomposition/decomposition.ts')).decomposition,
  'agent-execution': async () =>
    (await import('../../functions/agent-execution/agent-execution.ts')).agentExecution,
  'result-handling': async () =>
    (await import('../../functions/result-handling/result-handling.ts')).resultHandling,
  integration: async () => (await import('../../functions/integration/integration.ts')).integration,
  notification: async () => (await import('../../functions/notification/notification.ts')).notification,
  'dead-letters': async () => (await import('../../functions/dead-letters/dead-letters.ts')).deadLetters,
};

export function isNameOf<T extends object>(functions: T, wanted: string): wanted is keyof T & string {
  return Object.hasOwn(functions, wanted);
}
