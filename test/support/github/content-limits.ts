import { Refusal, validationFailed } from './refusal.ts';

const MAX_BODY_CHARACTERS = 65_536;
const MAX_TITLE_CHARACTERS = 256;
const MAX_CHECK_TEXT_CHARACTERS = 65_535;

/** GitHub's limits on what people write. */
export function checkText(resource: string, body: Record<string, unknown>): void {
  if (typeof body['body'] === 'string' && body['body'].length > MAX_BODY_CHARACTERS) {
    throw validationFailed(
      resource,
      `body is too long (maximum is ${MAX_BODY_CHARACTERS} characters)`,
      'body',
    );
  }
  if (typeof body['title'] === 'string' && body['title'].length > MAX_TITLE_CHARACTERS) {
    throw validationFailed(
      resource,
      `title is too long (maximum is ${MAX_TITLE_CHARACTERS} characters)`,
      'title',
    );
  }
}

export function checkCheckRun(body: Record<string, unknown>): void {
  const output = (body['output'] ?? {}) as Record<string, unknown>;
  for (const field of ['summary', 'text']) {
    const value = output[field];
    if (typeof value === 'string' && value.length > MAX_CHECK_TEXT_CHARACTERS) {
      throw new Refusal(
        422,
        `Invalid request.\n\nOnly ${MAX_CHECK_TEXT_CHARACTERS} characters are allowed; ${value.length} were supplied.`,
      );
    }
  }
  if (body['output'] !== undefined && typeof output['summary'] !== 'string') {
    throw new Refusal(422, 'Invalid request.\n\n"summary" wasn\'t supplied.');
  }
}
