import { MAX_PAGE, type Store, type Versioned, type Write } from '../../ports/store.ts';
import { type Ports, publish } from '../ports.ts';
import { decisionsOf, refs } from '../refs.ts';
import { type Decision, MAX_OFFERS, type Offer } from './decision.ts';
import { issueName } from './new-decision.ts';

/** An answer as a comment gives it, and where the comment stands. */
export interface CommentAnswer {
  verb: 'approve' | 'reject' | 'option';
  /** Of `option`: its place in the list, from 1. */
  number?: number;
  /** The decision that it names; without one it is for the only open one that is older than the comment. */
  id?: string;
  comment?: string;
  login: string;
  issue: number;
  repository: string;
  at: number;
}

/**
 * Keeps an answer from a comment at the decision that it is for, until the host has been asked whether its author may give it.
 * The sweep sees to it should the message about it be lost. Answers what to commit, or why the comment answers nothing.
 */
export async function offerAnswer(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  tenant: string,
  answer: CommentAnswer,
): Promise<{ decision: Decision; write: Write } | { reason: string }> {
  const found = (await namedDecision(store, tenant, answer)) ?? (await onlyDecision(store, tenant, answer));
  if ('reason' in found) return found;
  const { data: decision, ref, version } = found;
  const option = optionOf(decision, answer);
  if (option === undefined) return { reason: `decision ${decision.id} has no option ${answer.number ?? 0}` };
  const { login, comment, at } = answer;
  const offers = withOffer(decision, { login, option, at, ...(comment === undefined ? {} : { comment }) });
  if ('reason' in offers) return offers;
  const data: Decision = { ...decision, offers, dueAt: clock.now() };
  return { decision, write: { op: 'set', ref, data, ifVersion: version } };
}

/**
 * The newest answer of each login, so that nobody fills the list alone. None of another is given up for it: who may write is not
 * known yet, and what was recorded is not dropped unseen.
 */
function withOffer({ id, offers = [] }: Decision, offer: Offer): Offer[] | { reason: string } {
  const { login, at } = offer;
  const others = offers.filter((known) => known.login !== login);
  if (offers.some((known) => known.login === login && known.at > at))
    return { reason: `${login} has answered decision ${id} in a later comment` };
  if (others.length < MAX_OFFERS) return [...others, offer];
  return {
    reason: `decision ${id} has ${MAX_OFFERS} answers that are not checked yet; comment again in a minute, or answer with 'npx penstock decide ${id}'`,
  };
}

/** A word of letters alone that is no decision is a word of the comment. */
async function namedDecision(
  store: Store,
  tenant: string,
  { id, repository }: CommentAnswer,
): Promise<Versioned<Decision> | { reason: string } | undefined> {
  if (id === undefined) return undefined;
  const found = await store.get(refs.decision(tenant, id));
  if (found === undefined && /^[a-z]+$/.test(id)) return undefined;
  if (found === undefined || !(await isOf(store, found.data, repository)))
    return { reason: `there is no decision ${id} for this repository` };
  return found.data.state === 'open' ? found : { reason: `decision ${id} is ${found.data.state} already` };
}

async function onlyDecision(
  store: Store,
  tenant: string,
  { issue, repository, at }: CommentAnswer,
): Promise<Versioned<Decision> | { reason: string }> {
  const page = await store.query<Decision>({
    from: { collection: decisionsOf(tenant) },
    where: [
      { field: 'issue', op: '==', value: issueName(repository, issue) },
      { field: 'state', op: '==', value: 'open' },
    ],
    limit: MAX_PAGE,
  });
  const [only, ...more] = page.documents.filter(({ data }) => wholeSecond(data.createdAt) <= at);
  if (only === undefined) return { reason: 'no decision of this issue is open' };
  return more.length === 0 ? only : { reason: 'several decisions are open; name one' };
}

/** Hosts tell the time of a comment in whole seconds. */
function wholeSecond(time: number): number {
  return time - (time % 1_000);
}

async function isOf(store: Store, { tenant, run }: Decision, repository: string): Promise<boolean> {
  const [target] = (await store.get(refs.run(tenant, run)))?.data.targets ?? [];
  return target?.host === 'github' && target.repository.toLowerCase() === repository.toLowerCase();
}

/** Every decision names first what lets things go on. */
function optionOf(
  { options, safeOption }: Decision,
  { verb, number = 0 }: CommentAnswer,
): string | undefined {
  if (verb === 'reject') return safeOption;
  return options[verb === 'approve' ? 0 : number - 1]?.id;
}

/** Asks decomposition to look at what comments have answered. */
export async function announceOffers(
  ports: Pick<Ports, 'store' | 'queue' | 'trace'>,
  { tenant, run: id }: Pick<Decision, 'tenant' | 'run'>,
): Promise<void> {
  const run = (await ports.store.get(refs.run(tenant, id)))?.data;
  if (run !== undefined) await publish(ports, 'run-accepted', { v: 1, tenant, run: id }, run);
}
