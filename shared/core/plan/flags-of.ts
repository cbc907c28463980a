import type { PlannedTask } from '../../messages/plan.ts';

/** Whose part in a plan says what a requirement is flagged with (003-73); `workflows/conditional.yaml` goes the other way. */
export const SPECIALISTS: Readonly<Record<string, readonly string[]>> = {
  has_ai_features: ['ai_ml_specialist'],
  needs_mobile: ['mobile_developer'],
  enterprise_deployment: ['cloud_architect', 'monitoring_specialist'],
};

/** The flags of a plan: true for those of whose specialists it names one, by agent or by what only they can. */
export function flagsOf(tasks: readonly Pick<PlannedTask, 'agent'>[]): Record<string, boolean> {
  const agents = new Set(tasks.map(({ agent }) => agent));
  const flags = Object.entries(SPECIALISTS).map(
    ([flag, specialists]) => [flag, specialists.some((agent) => agents.has(agent))] as const,
  );
  return Object.fromEntries(flags);
}
