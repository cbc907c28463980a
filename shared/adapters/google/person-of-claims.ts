import { z } from 'zod';
import type { Person } from '../../ports/identity.ts';
import { PenstockError } from '../../ports/penstock-error.ts';

/** ASCII only: some letters of other alphabets become ours when they are made small. */
const address = z
  .string()
  .max(254)
  .regex(/^[!-9;-?A-~]+@[A-Za-z0-9.-]+$/);
const domain = z.string().regex(/^[A-Za-z0-9.-]+$/);

export const GOOGLE_ISSUER = 'https://accounts.google.com';
/** Google's tokens name their issuer either way. */
export const GOOGLE_ISSUERS = [GOOGLE_ISSUER, 'accounts.google.com'];

/**
 * The person that checked claims speak of. Google says in `hd` which organisation manages an address: anybody can open a Google
 * account with the address of an organisation that has none. Of any other issuer its word for the address has to do.
 */
export function personOfClaims(claims: Record<string, unknown>, { byGoogle }: { byGoogle: boolean }): Person {
  const email = address.safeParse(claims['email']);
  if (!email.success) {
    throw refusal('the token names no e-mail address; ask for one that does (scope email, include-email)');
  }
  const vouchedFor = domain.safeParse(byGoogle ? claims['hd'] : email.data.split('@')[1]);
  return {
    email: email.data.toLowerCase(),
    ...(vouchedFor.success ? { domain: vouchedFor.data.toLowerCase() } : {}),
  };
}

/** An address that its owner has not proved to have is anybody's. */
export function requireVerified(claims: Record<string, unknown>): void {
  if (claims['email_verified'] === true) return;
  throw refusal(
    'the e-mail address of the token is not verified (email_verified); verify it where you sign in',
  );
}

export function refusal(message: string): PenstockError {
  return new PenstockError('unauthenticated', message);
}
