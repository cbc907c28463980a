import { PenstockError } from '../../ports/penstock-error.ts';
import { MAX_PAGE } from '../../ports/store.ts';
import { change } from '../change.ts';
import type { Ports } from '../ports.ts';
import { decisionsOf, refs } from '../refs.ts';
import type { Run } from '../run.ts';
import { decide } from './decide.ts';
import { type Decision, isSameOffer, type Offer } from './decision.ts';
import { nextDue } from './new-decision.ts';

/**
 * Answers that came as comments: the first whose author may write to the repository is the answer, as if it had been given by the
 * API; the others are dropped. Idempotent.
 */
export async function takeOffers(ports: Ports, run: Run): Promise<void> {
  const page = await ports.store.query<Decision>({
    from: { collection: decisionsOf(run.tenant) },
    where: [
      { field: 'run', op: '==', value: run.id },
      { field: 'state', op: '==', value: 'open' },
    ],
    limit: MAX_PAGE,
  });
  for (const { data } of page.documents) if (data.offers !== undefined) await takeOffersOf(ports, run, data);
}

async function takeOffersOf(ports: Ports, run: Run, decision: Decision): Promise<void> {
  const offers = decision.offers ?? [];
  for (const offer of offers) if (await take(ports, run, decision, offer)) break;
  await change(
    ports.store,
    refs.decision(decision.tenant, decision.id),
    ({ offers: known = [], ...rest }) => {
      // Others may have come, and gone, meanwhile: of a question that is still open only what was looked at here goes.
      const left = known.filter(
        (one) => rest.state === 'open' && !offers.some((offer) => isSameOffer(one, offer)),
      );
      if (left.length > 0) return { data: { ...rest, offers: left } };
      return { data: { ...rest, dueAt: nextDue(rest, ports.clock.now()) } };
    },
  );
}

/** Whether it is the answer now. What cannot be asked of the host now is asked with the next delivery. */
async function take(ports: Ports, run: Run, decision: Decision, offer: Offer): Promise<boolean> {
  const [target] = run.targets;
  if (target === undefined) return false;
  const { login, option, comment } = offer;
  const permission = await ports.codeHost(target).permission(target, login);
  const fields = { tenant: run.tenant, run: run.id };
  if (permission !== 'admin' && permission !== 'write') {
    ports.log.warn(
      `decision ${decision.id} is not answered by ${login}, who has ${permission} permission`,
      fields,
    );
    return false;
  }
  const answer = { option, ...(comment === undefined ? {} : { comment }) };
  try {
    await decide(ports, { tenant: run.tenant, id: decision.id }, answer, `github:${login}`);
    return true;
  } catch (error) {
    if (!(error instanceof PenstockError) || error.retry === 'later') throw error;
    ports.log.warn(`the answer of ${login} is not taken: ${error.message}`, fields);
    return false;
  }
}
