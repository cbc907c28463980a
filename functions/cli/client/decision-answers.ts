import { type DecisionBody, decisionView, type DecisionView } from '../../../shared/messages/decision.ts';
import { listOf, MAX_LIST } from '../../../shared/messages/run-view.ts';
import type { ApiClient } from './api-client.ts';
import { type Answer, ask } from './read-answer.ts';

const decisionList = listOf(decisionView);

/** What the API answers about decisions. */
export const decisionAnswers = {
  open: (client: ApiClient) => ask(client, `/api/decisions?state=open&limit=${MAX_LIST}`, decisionList),
  one: (client: ApiClient, id: string): Promise<Answer<DecisionView>> =>
    ask(client, `/api/decisions/${encodeURIComponent(id)}`, decisionView),
  decide: (client: ApiClient, body: DecisionBody): Promise<Answer<DecisionView>> =>
    ask(client, '/api/decisions', decisionView, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
};
