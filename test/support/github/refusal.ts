import type { Context } from 'hono';

export type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 422 | 501;

/** An answer by which GitHub refuses a request. */
export class Refusal extends Error {
  readonly status: RefusalStatus;
  readonly details: { resource?: string; field?: string; code?: string; message?: string }[];

  constructor(status: RefusalStatus, message: string, details: Refusal['details'] = []) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** GitHub's error body. */
export function answerRefusal(context: Context, refusal: Refusal): Response {
  const body = {
    message: refusal.message,
    ...(refusal.details.length === 0 ? {} : { errors: refusal.details }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(refusal.status),
  };
  return context.json(body, refusal.status);
}

export function validationFailed(resource: string, message: string, field?: string): Refusal {
  const detail = { resource, code: 'custom', message, ...(field === undefined ? {} : { field }) };
  return new Refusal(422, 'Validation Failed', [detail]);
}
