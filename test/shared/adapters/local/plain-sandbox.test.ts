import { describe, expect, it } from '@jest/globals';
import { createPlainSandbox } from '../../../../shared/adapters/local/plain-sandbox.ts';
import { sandboxContract } from '../../../contract/sandbox-contract.ts';

describe('the plain sandbox', () => {
  sandboxContract(() => createPlainSandbox());

  it('says that it does not confine', () => {
    expect(createPlainSandbox().kind).toBe('none');
  });
});
