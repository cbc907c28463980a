import { MAX_SUMMARY_CHARS, type AttemptFailure, type FailureCode } from '../../messages/attempt-api.ts';
import { PenstockError, type ErrorCode } from '../../ports/penstock-error.ts';
import type { SteeringEnd } from './steering.ts';

export function failure(code: FailureCode, message: string): AttemptFailure {
  return { code, message: cutEnd(message, MAX_SUMMARY_CHARS) };
}

const modelCodes: Partial<Record<ErrorCode, FailureCode>> = {
  rate_limited: 'model_unavailable',
  unavailable: 'model_unavailable',
  timeout: 'model_unavailable',
  not_found: 'model_unavailable',
  budget: 'budget',
  refused: 'model_refused',
  too_large: 'turn_limit',
  unauthenticated: 'forbidden',
  forbidden: 'forbidden',
  invalid: 'invalid_input',
};

/** What a failed model call makes of the attempt. */
export function modelFailure(error: unknown): AttemptFailure {
  const { code, afterMs } = error instanceof PenstockError ? error : {};
  const found = failure(
    (code && modelCodes[code]) ?? 'internal',
    `The model did not answer: ${messageOf(error)}`,
  );
  return afterMs === undefined ? found : { ...found, retryAfterMs: Math.ceil(afterMs) };
}

const platformCodes: Partial<Record<ErrorCode, FailureCode>> = {
  rate_limited: 'network',
  unavailable: 'network',
  timeout: 'network',
  budget: 'budget',
  conflict: 'conflict',
  forbidden: 'forbidden',
  unauthenticated: 'forbidden',
  config: 'invalid_input',
};

/** What anything else that went wrong makes of the attempt. */
export function platformFailure(error: unknown): AttemptFailure {
  const code = error instanceof PenstockError ? platformCodes[error.code] : undefined;
  return failure(code ?? 'internal', messageOf(error));
}

export function endFailure(end: Exclude<SteeringEnd, 'stopped'>): AttemptFailure {
  if (end === 'hard_limit')
    return failure('timeout', 'The attempt reached its hard time limit before the agent was done.');
  return failure(
    'lost',
    'The machine ended the attempt (SIGTERM) before the agent was done. The next attempt goes on from its last checkpoint.',
  );
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const reasons =
    error instanceof PenstockError ? error.reasons.filter((reason) => !error.message.includes(reason)) : [];
  return [error.message, ...reasons].join('\n');
}

export function cutEnd(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 2)} …`;
}
