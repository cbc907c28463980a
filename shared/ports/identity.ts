import type { MemberRole } from '../messages/member.ts';

/** `platform`: one of our own service accounts; the internal routes and nothing else. No member can be given it. */
export type Role = MemberRole | 'platform';

export interface Caller {
  tenant: string;
  /** Stable name for the record: an e-mail address, `local`, `github:login`. */
  actor: string;
  roles: Role[];
}

/** Who calls. Throws `unauthenticated` with what to send instead, and `forbidden` for somebody who is known but no member. */
export interface Identity {
  readonly mode: 'local' | 'iam' | 'iap' | 'oidc';
  authenticate(request: { headers: Headers; remoteAddress: string | undefined }): Promise<Caller>;
}

/** Whom a caller has proved to be, before anybody asks what they may do. */
export interface Person {
  /** In small letters. */
  email: string;
  /** Of the organisation that vouches for the address; absent: none does. */
  domain?: string;
}

/** What a person may do in the tenant that they name. Throws `forbidden` with whom to ask. @default of `tenant`: the platform's own */
export type CallerOf = (person: Person, tenant?: string) => Promise<Caller>;

/** The request header by which a member of several tenants names one. */
export const TENANT_HEADER = 'x-penstock-tenant';
