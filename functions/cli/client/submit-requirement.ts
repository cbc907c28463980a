import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import {
  acceptedRun,
  type AcceptedRun,
  type requirementBody,
} from '../../../shared/messages/requirement-body.ts';
import { isTransient } from '../../../shared/ports/penstock-error.ts';
import type { ApiClient } from './api-client.ts';
import { ask, type Answer } from './read-answer.ts';

const MAX_TRIES = 3;
const RETRY_MS = 500;

export type RequirementInput = z.input<typeof requirementBody>;

/** Posts it once, whatever the line does: every try carries the same `Idempotency-Key`. */
export async function submitRequirement(
  client: ApiClient,
  body: RequirementInput,
): Promise<Answer<AcceptedRun>> {
  const key = randomUUID();
  for (let tries = 1; ; tries += 1) {
    try {
      return await postJson(client, '/api/requirements', { body, key });
    } catch (error) {
      if (tries >= MAX_TRIES || !isTransient(error)) throw error;
      await sleep(RETRY_MS * tries);
    }
  }
}

function postJson(
  client: ApiClient,
  path: string,
  { body, key }: { body: object; key: string },
): Promise<Answer<AcceptedRun>> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  return ask(client, path, acceptedRun, { method: 'POST', headers, body: JSON.stringify(body) });
}
