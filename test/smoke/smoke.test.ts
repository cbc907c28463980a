import { describe, expect, it } from '@jest/globals';
import { smoke } from './smoke.ts';

const addresses = Object.fromEntries(
  ['webhooks', 'api', 'attempts', 'intake'].map((name) => [name, `https://${name}.example.com`]),
);
const answering = (status: number) => () => Promise.resolve(new Response(null, { status }));

describe('the smoke test', () => {
  it('is content where every door asks who is there', async () => {
    const findings = await smoke(addresses, answering(401));
    expect(findings.map(({ isRight }) => isRight)).toEqual([true, true, true, true]);
  });

  it('finds a door that lets anybody in', async () => {
    const findings = await smoke(addresses, answering(200));
    expect(findings.filter(({ isRight }) => isRight)).toEqual([]);
  });

  it('finds a door that is not there, does not answer, or breaks', async () => {
    const { api: _api, ...rest } = addresses;
    const findings = await smoke(rest, (url) =>
      url === `${addresses['intake']}/api/requirements`
        ? Promise.reject(new Error('refused'))
        : answering(500)(),
    );
    expect(findings.map(({ door, isRight, text }) => [door, isRight, text])).toEqual([
      ['webhooks', false, 'POST /webhooks/github without an identity: 500, expected 401'],
      ['api', false, 'Terraform names no address of it'],
      ['attempts', false, 'POST /internal/attempts/claim without an identity: 500, expected 401 or 403'],
      ['intake', false, 'https://intake.example.com does not answer: Error: refused'],
    ]);
  });
});
