import { z } from 'zod';
import { claimAnswer, finishAnswer, proposalAnswer, renewAnswer } from '../../messages/attempt-api.ts';
import type { Attempt } from '../../ports/attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Model, ModelProvider } from '../../ports/model.ts';
import { createAttemptClient } from './attempt-client.ts';

export interface HttpAttemptConfig {
  /** Base URL of the platform, such as `https://attempts.example`. */
  url: string;
  /** One-time. */
  ticket: string;
  clock: Clock;
  /** Makes the model port of the attempt; base URL and token are the attempt's own. */
  createModel(access: { baseUrl: string; authToken: string; provider: ModelProvider }): Model;
  /** @default globalThis.fetch */
  fetch?: typeof globalThis.fetch;
}

const nothing = z.unknown();

/** Trades the ticket for an attempt over HTTP. Throws `stale` when somebody else has claimed it or it is over. */
export async function createHttpAttempt(config: HttpAttemptConfig): Promise<Attempt> {
  const url = config.url.replace(/\/+$/, '');
  const base = `${url}/internal/attempts`;
  const client = createAttemptClient({
    url: base,
    clock: config.clock,
    fetch: config.fetch ?? globalThis.fetch,
  });
  const { token, brief } = await client.post('/claim', { ticket: config.ticket }, { answer: claimAnswer });
  let seen = brief.seen ?? { messages: 0, mail: 0 };
  return {
    brief,
    model: config.createModel({ baseUrl: `${base}/model`, authToken: token, provider: brief.model.provider }),
    async renew() {
      const answer = await client.post('/renew', { seen }, { answer: renewAnswer, token });
      seen = answer.seen ?? seen;
      return answer;
    },
    async log(n, lines) {
      await client.post('/log', { n, lines }, { answer: nothing, token });
    },
    propose: (proposal) => client.post('/propose', proposal, { answer: proposalAnswer, token }),
    async finish(result) {
      return (await client.post('/finish', result, { answer: finishAnswer, token })).outcome;
    },
    fetch: (target) => client.download(target),
    upload: (target, bytes) => client.upload(target, bytes),
  };
}
