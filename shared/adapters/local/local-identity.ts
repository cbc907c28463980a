import { createHash, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../../ports/identity.ts';
import { PenstockError } from '../../ports/penstock-error.ts';

export interface LocalIdentityConfig {
  tenant: string;
  /** Asked for where it is set; otherwise being on this machine is enough. */
  token?: string;
}

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
/** A page of another site that a browser on this machine shows would name that site here. */
const LOCAL_HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** Identity mode `local`: the one person at this machine, or whoever has the token. */
export function createLocalIdentity({ tenant, token }: LocalIdentityConfig): Identity {
  const caller = { tenant, actor: 'local', roles: ['developer', 'team_admin', 'operator'] as const };
  return {
    mode: 'local',
    authenticate: ({ headers, remoteAddress }) => {
      const refusal = token === undefined ? notLocal(headers, remoteAddress) : wrongToken(headers, token);
      if (refusal !== undefined) return Promise.reject(new PenstockError('unauthenticated', refusal));
      return Promise.resolve({ ...caller, roles: [...caller.roles] });
    },
  };
}

function notLocal(headers: Headers, remoteAddress: string | undefined): string | undefined {
  const host = headers.get('host') ?? '';
  const near = remoteAddress === undefined || LOOPBACK.test(remoteAddress);
  if (near && (host === '' || LOCAL_HOST.test(host))) return undefined;
  return 'only this machine may call; set PENSTOCK_TOKEN and send it as Authorization: Bearer … to call from elsewhere';
}

function wrongToken(headers: Headers, token: string): string | undefined {
  const given = /^Bearer +(\S.*)$/i.exec(headers.get('authorization') ?? '')?.[1];
  const digest = (text: string) => createHash('sha256').update(text).digest();
  // An empty token would be what everybody sends who sends none.
  const isRight = given !== undefined && timingSafeEqual(digest(given), digest(token));
  return isRight ? undefined : 'send the value of PENSTOCK_TOKEN as Authorization: Bearer …';
}
