import type { CodeHost } from '../../ports/code-host.ts';
import type { Decision } from '../decisions/decision.ts';
import { neutralise } from '../integration/pull-request-body.ts';
import { performEffect } from '../perform-effect.ts';
import type { Ports } from '../ports.ts';
import { redact } from '../repository/scan-secrets.ts';
import type { Run, Target } from '../run.ts';
import { decisionText } from './decision-text.ts';

/** One comment of its own for each decision that nobody has answered for so long: that the first one was edited nobody is told. */
export async function postReminders(
  ports: Pick<Ports, 'store' | 'clock' | 'ids'>,
  { host, target, issue }: { host: CodeHost; target: Target; issue: number },
  { run, decisions }: { run: Run; decisions: Decision[] },
): Promise<void> {
  for (const decision of decisions.filter(({ remindAt }) => remindAt <= ports.clock.now())) {
    const marker = `<!-- penstock:decision:${decision.id} -->`;
    const body = `${neutralise(redact(`Still waiting. ${decisionText(decision)}`))}\n\n${marker}`;
    const look = async () => {
      const found = await host.findComment(target, issue, marker);
      return found === undefined ? undefined : { id: found.id };
    };
    const act = async () => ({ id: (await host.createComment(target, issue, body)).id });
    const effect = { tenant: run.tenant, run: run.id, id: `reminder-${decision.id}` };
    await performEffect(ports, effect, { look, act });
  }
}
