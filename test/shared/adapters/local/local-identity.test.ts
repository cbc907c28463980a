import { describe, expect, it } from '@jest/globals';
import { createLocalIdentity } from '../../../../shared/adapters/local/local-identity.ts';
import type { Caller } from '../../../../shared/ports/identity.ts';
import { identityContract, type IdentityRequest } from '../../../contract/identity-contract.ts';

const NEAR = '127.0.0.1';
const FAR = '203.0.113.7';
const TOKEN = 'a-token-of-some-length';
const everyone: Caller = { tenant: 'local', actor: 'local', roles: ['developer', 'team_admin', 'operator'] };

function from(remoteAddress: string | undefined, headers: Record<string, string> = {}): IdentityRequest {
  return { headers: new Headers(headers), remoteAddress };
}
const host = (name: string, remoteAddress = NEAR): IdentityRequest => from(remoteAddress, { host: name });
const bearer = (authorization: string): IdentityRequest =>
  from(NEAR, { host: 'localhost:8080', authorization });

describe('the local identity', () => {
  identityContract('without a token it is the machine', () => ({
    identity: createLocalIdentity({ tenant: 'local' }),
    welcome: [
      ['a program on this machine', host('127.0.0.1:8080'), everyone],
      ['a browser on this machine', host('localhost:8080'), everyone],
      ['a caller over IPv6', host('[::1]:8080', '::1'), everyone],
      ['IPv4 within IPv6', host('localhost', '::ffff:127.0.0.1'), everyone],
      ['another loopback address', host('localhost', '127.5.0.1'), everyone],
      ['a request that no socket stands behind', from(undefined), everyone],
    ],
    refused: [
      ['another machine', host('localhost:8080', FAR), /PENSTOCK_TOKEN/],
      ['another machine over IPv6', host('localhost:8080', '2001:db8::1'), /PENSTOCK_TOKEN/],
      ['another machine, IPv4 within IPv6', host('localhost', `::ffff:${FAR}`), /PENSTOCK_TOKEN/],
      [
        'an address that only begins like this machine',
        host('localhost', '127.0.0.1.example.com'),
        /PENSTOCK_TOKEN/,
      ],
      ['an address of the local network', host('localhost', '192.168.0.2'), /PENSTOCK_TOKEN/],
      ['a page of another site (DNS rebinding)', host('evil.example'), /PENSTOCK_TOKEN/],
      ['a site whose name begins like this machine', host('localhost.evil.example:8080'), /PENSTOCK_TOKEN/],
      ['a site whose name ends like this machine', host('evil.localhost'), /PENSTOCK_TOKEN/],
      ['this machine under its public name', host(`${FAR}:8080`), /PENSTOCK_TOKEN/],
      [
        'a foreign site, even with a token that nobody set',
        from(NEAR, { host: 'evil.example', authorization: `Bearer ${TOKEN}` }),
        /PENSTOCK_TOKEN/,
      ],
      [
        'another machine that claims to be forwarded for this one',
        from(FAR, { host: 'localhost', 'x-forwarded-for': NEAR }),
        /PENSTOCK_TOKEN/,
      ],
    ],
  }));

  identityContract('with a token it is whoever has it', () => ({
    identity: createLocalIdentity({ tenant: 'acme', token: TOKEN }),
    welcome: [
      ['the right token', bearer(`Bearer ${TOKEN}`), { ...everyone, tenant: 'acme' }],
      [
        'the right token with the scheme in other letters',
        bearer(`bearer ${TOKEN}`),
        { ...everyone, tenant: 'acme' },
      ],
      [
        'the right token from another machine',
        from(FAR, { host: 'penstock.example', authorization: `Bearer ${TOKEN}` }),
        { ...everyone, tenant: 'acme' },
      ],
    ],
    refused: [
      ['this machine without a token', host('localhost:8080'), /Authorization: Bearer/],
      [
        'a wrong token of the same length',
        bearer(`Bearer ${TOKEN.replace('a', 'b')}`),
        /Authorization: Bearer/,
      ],
      ['the beginning of the token', bearer(`Bearer ${TOKEN.slice(0, -1)}`), /Authorization: Bearer/],
      ['more than the token', bearer(`Bearer ${TOKEN}x`), /Authorization: Bearer/],
      ['the token in other letters', bearer(`Bearer ${TOKEN.toUpperCase()}`), /Authorization: Bearer/],
      ['the token without its scheme', bearer(TOKEN), /Authorization: Bearer/],
      ['the token under another scheme', bearer(`Basic ${TOKEN}`), /Authorization: Bearer/],
      ['an empty token', bearer('Bearer '), /Authorization: Bearer/],
    ],
  }));

  it('lets nobody in by an empty token', async () => {
    const identity = createLocalIdentity({ tenant: 'acme', token: '' });
    for (const request of [
      host('localhost:8080', FAR),
      host('localhost:8080'),
      bearer('Bearer '),
      bearer('Bearer x'),
    ]) {
      await expect(identity.authenticate(request)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  it('never repeats the token in a refusal', async () => {
    const identity = createLocalIdentity({ tenant: 'acme', token: TOKEN });
    const error: unknown = await identity
      .authenticate(bearer('Bearer guessed-secret'))
      .catch((thrown: unknown) => thrown);
    expect(String(error)).not.toContain(TOKEN);
    expect(String(error)).not.toContain('guessed-secret');
  });
});
