import { describe, expect, it } from '@jest/globals';
import { chooseSandbox } from '../../../../shared/adapters/local/choose-sandbox.ts';
import { group } from '../../../support/groups.ts';

describe('choosing a sandbox', () => {
  it('falls back to none, and says why, where bubblewrap is missing', async () => {
    const chosen = await chooseSandbox({ program: '/no/such/bwrap' });
    expect(chosen.sandbox.kind).toBe('none');
    expect(chosen.reason).toMatch(/^none, because .*\/no\/such\/bwrap.*not confined/);
  });

  it('falls back to none where the program is there but does not run commands', async () => {
    const chosen = await chooseSandbox({ program: '/bin/false' });
    expect(chosen.sandbox.kind).toBe('none');
    expect(chosen.reason).toContain('exit code 1');
  });
});

group('bubblewrap')('choosing a sandbox where bubblewrap runs', () => {
  it('takes bubblewrap', async () => {
    const chosen = await chooseSandbox();
    expect(chosen.sandbox.kind).toBe('bubblewrap');
    expect(chosen.reason).toContain('confined by the operating system');
  });
});
