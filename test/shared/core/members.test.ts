import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openSqliteDatabase } from '../../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../../shared/adapters/local/sqlite-store.ts';
import { createMembers, type MembersConfig } from '../../../shared/core/members.ts';
import { refs } from '../../../shared/core/refs.ts';
import { tenantMembers } from '../../../shared/messages/member.ts';
import type { CallerOf } from '../../../shared/ports/identity.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { createHandClock, type HandClock, silent } from '../../support/engine.ts';

const CONFIG: MembersConfig = {
  defaultTenant: 'local',
  admins: ['root@example.com'],
  platformAccounts: ['scheduler@p.iam.gserviceaccount.com'],
  strangerRole: 'none',
};
const ada = { email: 'ada@example.com', domain: 'example.com' };
const root = { email: 'root@example.com' };

describe('the members of a tenant', () => {
  let store: Store;
  let clock: HandClock;
  let reads: number;
  let isAway: boolean;
  let said: string[];
  let close: () => Promise<void>;
  beforeEach(() => {
    const database = openSqliteDatabase({ file: ':memory:', synchronous: 'normal' });
    store = createSqliteStore({ database, indexes: [] });
    close = async () => {
      await store.close();
      database.close();
    };
    clock = createHandClock();
    [reads, isAway, said] = [0, false, []];
  });
  afterEach(() => close());

  function open(config: Partial<MembersConfig> = {}): CallerOf {
    const get: Store['get'] = (ref) => {
      reads += 1;
      const away = new PenstockError('unavailable', 'the store is away', { retry: 'later' });
      return isAway ? Promise.reject(away) : store.get(ref);
    };
    const log = { ...silent, error: (message: string) => void said.push(message) };
    return createMembers({ store: { ...store, get }, clock, log }, { ...CONFIG, ...config });
  }
  const write = (members: unknown, tenant = 'local') =>
    store.commit([{ op: 'set', ref: refs.tenant(tenant), data: { v: 1, members } }]);

  it('have the roles that their tenant has given them, by address and by domain together', async () => {
    await write([
      { member: 'ada@example.com', roles: ['operator'] },
      { member: 'domain:example.com', roles: ['developer'] },
      { member: 'bob@example.com', roles: ['team_admin'] },
    ]);
    expect(await open()(ada)).toEqual({
      tenant: 'local',
      actor: 'ada@example.com',
      roles: ['operator', 'developer'],
    });
  });

  it('are nobody else: not without the domain’s word, not of a domain below or above', async () => {
    await write([{ member: 'domain:example.com', roles: ['developer'] }]);
    const callerOf = open();
    for (const person of [
      { email: 'ada@example.com' },
      { email: 'ada@example.com', domain: 'evil.example.com' },
      { email: 'ada@example.com', domain: 'com' },
    ])
      await expect(callerOf(person)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('are told apart from strangers, who hear whom to ask', async () => {
    const answer = open()(ada);
    await expect(answer).rejects.toMatchObject({ code: 'forbidden', retry: 'never' });
    await expect(answer).rejects.toThrow(
      /ada@example.com is not a member of tenant local; ask a team admin .*PUT \/api\/tenants\/local/,
    );
  });

  it('belong to the tenant that they name, and to none for being named', async () => {
    await write([{ member: 'ada@example.com', roles: ['developer'] }]);
    await write([{ member: 'ada@example.com', roles: ['team_admin'] }], 'acme');
    const callerOf = open();
    expect(await callerOf(ada)).toMatchObject({ tenant: 'local', roles: ['developer'] });
    expect(await callerOf(ada, 'acme')).toMatchObject({ tenant: 'acme', roles: ['team_admin'] });
  });

  it.each(['nowhere', 'acme/../local', '../local', '', 'A', 'a'.repeat(40)])(
    'are not found in tenant %j, in the same words as in any other',
    async (tenant) => {
      await expect(open()(ada, tenant)).rejects.toThrow(`is not a member of tenant ${tenant};`);
    },
  );

  it('of whom the configuration speaks have every role at home, whatever the record says, and only set others up', async () => {
    const callerOf = open();
    expect(await callerOf(root)).toMatchObject({ roles: ['developer', 'team_admin', 'operator'] });
    await write([{ member: 'root@example.com', roles: ['developer'] }]);
    expect((await callerOf(root)).roles.toSorted()).toEqual(['developer', 'operator', 'team_admin']);
    expect(await callerOf(root, 'acme')).toMatchObject({ tenant: 'acme', roles: ['team_admin'] });
  });

  it('that are our own service accounts are nothing else, even where somebody has made them members', async () => {
    const scheduler = { email: 'scheduler@p.iam.gserviceaccount.com', domain: 'example.com' };
    await write([
      { member: scheduler.email, roles: ['operator'] },
      { member: 'domain:example.com', roles: ['developer'] },
    ]);
    const callerOf = open({ admins: [scheduler.email], strangerRole: 'developer' });
    expect(await callerOf(scheduler)).toEqual({
      tenant: 'local',
      actor: scheduler.email,
      roles: ['platform'],
    });
    expect(await callerOf(scheduler, 'acme')).toMatchObject({ tenant: 'local', roles: ['platform'] });
  });

  it('are joined by strangers only where the configuration says so, at home, and without a member gaining by it', async () => {
    const callerOf = open({ strangerRole: 'developer' });
    await write([{ member: 'ops@example.com', roles: ['operator'] }]);
    expect(await callerOf(ada)).toMatchObject({ tenant: 'local', roles: ['developer'] });
    expect(await callerOf({ email: 'ops@example.com' })).toMatchObject({ roles: ['operator'] });
    await expect(callerOf(ada, 'acme')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('are read at most once in five seconds, and a change is seen then', async () => {
    await write([{ member: 'ada@example.com', roles: ['developer'] }]);
    const callerOf = open();
    await Promise.all([callerOf(ada), callerOf(ada)]);
    await write([]);
    clock.advance(4_999);
    await callerOf(ada);
    expect(reads).toBe(1);
    clock.advance(1);
    await expect(callerOf(ada)).rejects.toMatchObject({ code: 'forbidden' });
    expect(reads).toBe(2);
  });

  it('that cannot be read let nobody in and turn nobody away for good', async () => {
    const callerOf = open();
    isAway = true;
    await expect(callerOf(ada)).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    isAway = false;
    await write([{ member: 'ada@example.com', roles: ['developer'] }]);
    expect(await callerOf(ada)).toMatchObject({ roles: ['developer'] });
  });

  it('that somebody has written nonsense about are nobody but the configuration’s, and the log says why', async () => {
    await write([
      { member: 'ada@example.com', roles: ['developer'] },
      { member: 'bob', roles: ['king'] },
    ]);
    const callerOf = open();
    await expect(callerOf(ada)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await callerOf(root)).toMatchObject({ roles: ['developer', 'team_admin', 'operator'] });
    expect(said).toEqual([
      expect.stringMatching(/^members of tenant local are ignored: members: 1\.member: /),
    ]);
  });
});

describe('what may be written as a member', () => {
  it.each([
    ['an address', 'ada@example.com', 'ada@example.com'],
    ['an address in large letters', 'Ada@Example.COM', 'ada@example.com'],
    ['a service account', 'ci@p.iam.gserviceaccount.com', 'ci@p.iam.gserviceaccount.com'],
    ['a domain', 'domain:Example.com', 'domain:example.com'],
  ])('is %s', (_, member, stored) => {
    expect(tenantMembers.parse([{ member, roles: ['developer'] }])).toEqual([
      { member: stored, roles: ['developer'] },
    ]);
  });

  it.each([
    ['everybody', [{ member: '*', roles: ['developer'] }]],
    ['a domain without a point', [{ member: 'domain:com', roles: ['developer'] }]],
    ['a domain as an address', [{ member: 'domain:a@b.com', roles: ['developer'] }]],
    ['a group of Google', [{ member: 'group:all@example.com', roles: ['developer'] }]],
    ['two addresses in one', [{ member: 'a@b.com,c@d.com', roles: ['developer'] }]],
    ['an address with a blank', [{ member: 'a@b.com ', roles: ['developer'] }]],
    [
      'letters that become ours when they are made small',
      [{ member: '\u212Aate@b.com', roles: ['developer'] }],
    ],
    ['a role that there is not', [{ member: 'a@b.com', roles: ['owner'] }]],
    ['our own role', [{ member: 'a@b.com', roles: ['platform'] }]],
    ['no role', [{ member: 'a@b.com', roles: [] }]],
    ['a whole domain that administers', [{ member: 'domain:b.com', roles: ['team_admin'] }]],
    ['a whole domain that operates', [{ member: 'domain:b.com', roles: ['developer', 'operator'] }]],
    [
      'a member twice',
      [
        { member: 'a@b.com', roles: ['developer'] },
        { member: 'A@b.com', roles: ['operator'] },
      ],
    ],
    [
      'more than two hundred',
      Array.from({ length: 201 }, (__, n) => ({ member: `${n}@b.com`, roles: ['developer'] })),
    ],
  ])('is not %s', (_, members) => {
    expect(tenantMembers.safeParse(members).success).toBe(false);
  });
});
