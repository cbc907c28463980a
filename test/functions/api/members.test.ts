import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Hono } from 'hono';
import { api } from '../../../functions/api/api.ts';
import { intake } from '../../../functions/intake/intake.ts';
import { stages } from '../../../functions/stages/stages.ts';
import { sweep } from '../../../functions/sweep/sweep.ts';
import type { LogFields } from '../../../shared/ports/log.ts';
import { openIdentity, type OpenIdentityConfig } from '../../../shared/runtime/open-identity.ts';
import { makeSigningKey, startIssuer } from '../../support/issuer.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';

const AUDIENCE = 'https://api.example.com';
const SCHEDULER = 'scheduler@p.iam.gserviceaccount.com';

const key = await makeSigningKey('one');
const issuer = await startIssuer(key);
afterAll(() => issuer.stop());

const CONFIG: OpenIdentityConfig = {
  PENSTOCK_IDENTITY: 'oidc',
  PENSTOCK_OIDC_ISSUER: issuer.url,
  PENSTOCK_OIDC_AUDIENCE: [AUDIENCE],
  PENSTOCK_TENANT: 'local',
  PENSTOCK_ADMINS: ['root@example.com'],
  PENSTOCK_PLATFORM_ACCOUNTS: [SCHEDULER],
  PENSTOCK_INVOKER_ROLE: 'none',
};
const REQUIREMENT = {
  requirement: 'Write it.',
  plan: { tasks: [{ id: 'a', agent: 'technical_writer', instructions: 'Write.' }] },
};

async function tokenOf(email: string): Promise<string> {
  const iat = Math.floor(Date.now() / 1_000);
  const token = {
    iss: issuer.url,
    aud: AUDIENCE,
    sub: email,
    iat,
    exp: iat + 600,
    email,
    email_verified: true,
  };
  return `Bearer ${await key.sign(token)}`;
}

describe('who may do what, with a token of the company’s identity provider (S-12)', () => {
  let world: ApiWorld;
  let doors: { api: Hono; intake: Hono; stages: Hono; sweep: Hono };
  let aheadMs: number;
  let said: { message: string; fields: LogFields | undefined }[];
  beforeEach(async () => {
    world = await openApiWorld();
    [aheadMs, said] = [0, []];
    const { ports } = world.runtime;
    const info = (message: string, fields?: LogFields) => void said.push({ message, fields });
    const clock = { ...ports.clock, now: () => ports.clock.now() + aheadMs };
    const identity = openIdentity(CONFIG, { ...ports, clock });
    const runtime = { ...world.runtime, identity, ports: { ...ports, log: { ...ports.log, info } } };
    doors = {
      api: api.app(runtime),
      intake: intake.app(runtime),
      stages: stages.app(runtime),
      sweep: sweep.app(runtime),
    };
  });
  afterEach(() => world.close());

  interface Ask {
    as?: string;
    tenant?: string;
    body?: object;
  }
  async function ask(door: keyof typeof doors, route: string, { as, tenant, body }: Ask = {}) {
    const [method = 'GET', path = ''] = route.split(' ');
    const answer = await doors[door].request(path, {
      method,
      headers: {
        ...(as === undefined ? {} : { authorization: await tokenOf(as) }),
        ...(tenant === undefined ? {} : { 'x-penstock-tenant': tenant }),
        'content-type': 'application/json',
        'if-match': '*',
      },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }
  const put = (members: unknown, { as = 'root@example.com', tenant = 'local' } = {}) =>
    ask('api', `PUT /api/tenants/${tenant}`, { as, tenant, body: { licence: {}, settings: {}, members } });
  const submit = (as?: string) =>
    ask('intake', 'POST /api/requirements', { ...(as === undefined ? {} : { as }), body: REQUIREMENT });

  it('is asked of everybody: nobody is told to send a token (401), a stranger whom to ask (403)', async () => {
    for (const [door, route] of [
      ['api', 'GET /api/runs'],
      ['api', 'GET /health'],
      ['api', 'PUT /api/tenants/local'],
      ['intake', 'POST /api/requirements'],
      ['intake', 'POST /api/v1/pm/tasks'],
      ['sweep', 'POST /internal/sweep'],
      ['stages', 'POST /internal/runs/abcd1234/claim'],
      ['stages', 'GET /internal/runs/abcd1234'],
    ] as const) {
      const nobody = await ask(door, route);
      expect([route, nobody.status, nobody.body['detail']]).toEqual([
        route,
        401,
        expect.stringContaining('Authorization: Bearer'),
      ]);
      const stranger = await ask(door, route, { as: 'eve@example.com' });
      expect([route, stranger.status, stranger.body['detail']]).toEqual([
        route,
        403,
        expect.stringContaining('ask a team admin'),
      ]);
    }
  });

  it('is what a team admin has written down, and each role is its own', async () => {
    const members = [
      { member: 'dev@example.com', roles: ['developer'] },
      { member: 'lead@example.com', roles: ['team_admin'] },
      { member: 'ops@example.com', roles: ['operator'] },
    ];
    const written = await put(members);
    expect([written.status, written.body['members']]).toEqual([200, members]);
    aheadMs = 5_000;
    const routes = [
      ['api', 'GET /api/runs'],
      ['intake', 'POST /api/requirements'],
      ['api', 'GET /api/tenants/local'],
      ['api', 'GET /api/dead-letters'],
      ['api', 'POST /api/dead-letters/none/replay'],
      ['sweep', 'POST /internal/sweep'],
      ['stages', 'GET /internal/runs/nosuchrun'],
    ] as const;
    const statuses = async (as: string) =>
      Promise.all(
        routes.map(async ([door, route]) => (await ask(door, route, { as, body: REQUIREMENT })).status),
      );
    expect(await statuses('dev@example.com')).toEqual([200, 202, 403, 200, 403, 403, 403]);
    expect(await statuses('lead@example.com')).toEqual([403, 403, 200, 403, 403, 403, 403]);
    // There is no such letter, which nobody else gets to hear.
    expect(await statuses('ops@example.com')).toEqual([403, 403, 403, 200, 404, 200, 404]);
    expect(await statuses(SCHEDULER)).toEqual([403, 403, 403, 403, 403, 200, 404]);
  });

  it('is said to whom lacks a role, with the role', async () => {
    await put([{ member: 'ops@example.com', roles: ['operator'] }]);
    aheadMs = 5_000;
    expect((await submit('ops@example.com')).body['detail']).toBe(
      'ops@example.com is operator of tenant local, and this takes developer; ask a team admin of it for the role',
    );
  });

  it('holds within five seconds, also when it is taken away', async () => {
    await put([{ member: 'domain:example.com', roles: ['developer'] }]);
    aheadMs = 5_000;
    expect((await submit('ada@example.com')).status).toBe(202);
    await put([]);
    aheadMs = 10_000;
    expect((await submit('ada@example.com')).status).toBe(403);
  });

  it('stays as it is when a change speaks of other things', async () => {
    const members = [{ member: 'dev@example.com', roles: ['developer'] }];
    await put(members);
    const { body } = await put(undefined);
    expect(body['members']).toEqual(members);
  });

  it('is refused as a whole when a part of it is wrong, with every reason', async () => {
    const { status, body } = await put([
      { member: 'everybody', roles: ['developer'] },
      { member: 'domain:example.com', roles: ['team_admin'] },
    ]);
    const paths = (body['errors'] as { path: string }[]).map(({ path }) => path);
    expect([status, paths]).toEqual([400, ['members.0.member', 'members.1.roles']]);
  });

  it('is told in the log, with who changed it; people stand there by hash', async () => {
    await put([
      { member: 'dev@example.com', roles: ['developer', 'operator'] },
      { member: 'domain:example.com', roles: ['developer'] },
    ]);
    await put([{ member: 'dev@example.com', roles: ['developer'] }]);
    const person = expect.stringMatching(/^person [0-9a-f]{12}: operator$/);
    expect(said.map(({ fields }) => fields)).toEqual([
      expect.objectContaining({
        tenant: 'local',
        by: expect.stringMatching(/^person [0-9a-f]{12}$/),
        granted: [expect.any(String), person, 'domain:example.com: developer'],
        revoked: [],
      }),
      expect.objectContaining({ granted: [], revoked: [person, 'domain:example.com: developer'] }),
    ]);
    expect(JSON.stringify(said)).not.toContain('@');
  });

  it('differs by tenant: an administrator of the platform sets another one up and sees none of its runs', async () => {
    const root = { as: 'root@example.com', tenant: 'acme' };
    expect((await put([{ member: 'carl@example.com', roles: ['developer'] }], root)).status).toBe(200);
    expect((await ask('api', 'GET /api/runs', root)).status).toBe(403);
    const carl = { as: 'carl@example.com' };
    aheadMs = 5_000;
    expect((await ask('api', 'GET /api/runs', { ...carl, tenant: 'acme' })).status).toBe(200);
    expect((await ask('api', 'GET /api/runs', carl)).status).toBe(403);
    expect((await put([], { ...root, as: 'carl@example.com' })).status).toBe(403);
  });
});
