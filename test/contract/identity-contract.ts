import { describe, expect, it } from '@jest/globals';
import type { Caller, Identity } from '../../shared/ports/identity.ts';

export type IdentityRequest = Parameters<Identity['authenticate']>[0];

export interface IdentityCases {
  identity: Identity;
  /** What each that is let in must come out as. */
  welcome: [string, IdentityRequest, Caller][];
  /** What is turned away, and a part of what it is told to send instead. */
  refused: [string, IdentityRequest, RegExp][];
}

/** What every identity does, whatever proof it asks for. */
export function identityContract(name: string, make: () => IdentityCases): void {
  describe(`${name} as an identity`, () => {
    const { identity, welcome, refused } = make();

    it.each(welcome)('knows %s', async (_, request, caller) => {
      expect(await identity.authenticate(request)).toEqual(caller);
    });

    it.each(refused)('refuses %s and says what to send instead', async (_, request, hint) => {
      const answer = identity.authenticate(request);
      await expect(answer).rejects.toMatchObject({
        name: 'PenstockError',
        code: 'unauthenticated',
        retry: 'never',
      });
      await expect(answer).rejects.toThrow(hint);
    });

    it('gives each caller a record of its own', async () => {
      for (const [, request, caller] of welcome) {
        (await identity.authenticate(request)).roles.length = 0;
        expect(await identity.authenticate(request)).toEqual(caller);
      }
    });
  });
}
