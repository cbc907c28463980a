import { refusal } from './person-of-claims.ts';

const BEARER = /^Bearer +([A-Za-z0-9_.-]+)$/i;

/** The token of a header such as `Authorization: Bearer …`; `hint` is what to send instead of anything else. */
export function bearerToken(header: string | null, hint: string): string {
  const token = BEARER.exec(header?.trim() ?? '')?.[1];
  if (token !== undefined) return token;
  throw refusal(hint);
}
