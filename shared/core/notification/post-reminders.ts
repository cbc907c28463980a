import type { CodeHost } from '../../ports/code-host.ts';
import type { Decision } from '../decisions/decision.ts';
import { escalatedTo } from '../decisions/new-decision.ts';
import { performEffect } from '../perform-effect.ts';
import type { Ports } from '../ports.ts';
import { publicText } from '../public-text.ts';
import type { Run, Target } from '../run.ts';
import { decisionText } from './decision-text.ts';

interface Place {
  host: CodeHost;
  target: Target;
  issue: number;
}

/**
 * One comment of its own for each decision that nobody has answered for so long, and one more that calls others: that the first
 * one was edited nobody is told.
 */
export async function postReminders(
  ports: Pick<Ports, 'store' | 'clock' | 'ids'>,
  place: Place,
  { run, decisions }: { run: Run; decisions: Decision[] },
): Promise<void> {
  const now = ports.clock.now();
  for (const decision of decisions.filter(({ remindAt }) => remindAt <= now)) {
    const text = publicText(`Still waiting. ${decisionText(decision)}`);
    await postOnce(ports, place, run, { id: `reminder-${decision.id}`, name: decision.id, text });
  }
  for (const decision of decisions.filter(({ escalateAt }) => escalateAt <= now)) {
    const asked = publicText(decisionText(decision));
    // The logins come from the tenant's settings: they are the only ones that we call.
    const text = `Nobody has answered yet; this needs ${escalatedTo(decision)}.\n\n${asked}`;
    await postOnce(ports, place, run, {
      id: `escalation-${decision.id}`,
      name: `${decision.id}:escalated`,
      text,
    });
  }
}

async function postOnce(
  ports: Pick<Ports, 'store' | 'clock' | 'ids'>,
  { host, target, issue }: Place,
  run: Run,
  { id, name, text }: { id: string; name: string; text: string },
): Promise<void> {
  const marker = `<!-- penstock:decision:${name} -->`;
  const look = async () => {
    const found = await host.findComment(target, issue, marker);
    return found === undefined ? undefined : { id: found.id };
  };
  const act = async () => ({ id: (await host.createComment(target, issue, `${text}\n\n${marker}`)).id });
  await performEffect(ports, { tenant: run.tenant, run: run.id, id }, { look, act });
}
