import type { Write } from '../../ports/store.ts';
import { refs } from '../refs.ts';
import type { WebhookDecision, WebhookPayload } from './decide-webhook.ts';

/** Repositories are known by what their installation says of them: no repository is reachable through another tenant's. */
export function installationWrites(
  payload: WebhookPayload,
  decision: WebhookDecision,
  tenant: string | undefined,
): Write[] {
  const installationId = payload.installation?.id;
  if (tenant === undefined || installationId === undefined) return [];
  const gone = (payload.repositories_removed ?? []).map(({ full_name: name }) => ({
    op: 'delete' as const,
    ref: refs.repository(tenant, name),
  }));
  const suspended = decision.outcome === 'installation' && decision.suspended;
  const account = payload.installation?.account?.login ?? '';
  const state: Write[] =
    decision.outcome === 'installation' && payload.repositories_added === undefined
      ? [
          {
            op: 'set',
            ref: refs.installation(installationId),
            data: { v: 1, id: installationId, tenant, account, suspended },
          },
        ]
      : [];
  if (suspended) return [...state, ...gone];
  const names = new Set(
    [...(payload.repositories ?? []), ...(payload.repositories_added ?? []), payload.repository ?? []]
      .flat()
      .map(({ full_name: name }) => name),
  );
  const here = [...names].map((repository) => {
    const data = { v: 1 as const, host: 'github' as const, repository, installationId };
    return { op: 'set' as const, ref: refs.repository(tenant, repository), data };
  });
  return [...state, ...here, ...gone];
}
