export type Role = 'developer' | 'team_admin' | 'operator';

export interface Caller {
  tenant: string;
  /** Stable name for the record: an e-mail address, `local`, `github:login`. */
  actor: string;
  roles: Role[];
}

/** Who calls. Throws `unauthenticated` with what to send instead. */
export interface Identity {
  readonly mode: 'local' | 'iam' | 'iap' | 'oidc';
  authenticate(request: { headers: Headers; remoteAddress: string | undefined }): Promise<Caller>;
}
