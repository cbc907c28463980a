import { z } from 'zod';
import { isTrustedUrl } from '../adapters/google/trusted-url.ts';

const trustedUrl = z.string().refine(isTrustedUrl, 'an https URL');
const splitAtCommas = (text: string): string[] => text.split(',').map((part) => part.trim());
const audiences = z.string().min(1).transform(splitAtCommas);
const addresses = z
  .string()
  .regex(
    /^[!-+\--~]+@[A-Za-z0-9.-]+(\s*,\s*[!-+\--~]+@[A-Za-z0-9.-]+)*$/,
    'e-mail addresses with commas between them',
  )
  .transform((text) => splitAtCommas(text.toLowerCase()));

/** How a function in the cloud knows who calls it. */
export const identityVariables = {
  PENSTOCK_IDENTITY: z.enum(['iam', 'iap', 'oidc', 'local'], { error: 'iam, iap, oidc or local' }),
  /** Mode oidc: exactly as the tokens name it. */
  PENSTOCK_OIDC_ISSUER: trustedUrl.optional(),
  /** Whom a token is for, one or several; in mode iam only to take less than Cloud Run does. */
  PENSTOCK_OIDC_AUDIENCE: audiences.optional(),
  /** Only for an issuer that has no discovery document. */
  PENSTOCK_OIDC_KEYS_URL: trustedUrl.optional(),
  PENSTOCK_IAP_AUDIENCE: z
    .string()
    .regex(
      /^\/projects\/\d+\/\S+$/,
      '/projects/NUMBER/…, as the Identity-Aware Proxy shows it for the backend',
    )
    .optional(),
  /** Have every role in PENSTOCK_TENANT and may set up the members of any other. */
  PENSTOCK_ADMINS: addresses.default([]),
  /** Our own service accounts: the internal routes and nothing else. */
  PENSTOCK_PLATFORM_ACCOUNTS: addresses.default([]),
  /** Mode iam: what somebody whom Cloud Run let in may do in PENSTOCK_TENANT without being a member of it. */
  PENSTOCK_INVOKER_ROLE: z.enum(['none', 'developer']).default('none'),
};

export type IdentityConfig = z.infer<z.ZodObject<typeof identityVariables>>;

const NEEDED = {
  iam: [],
  local: [],
  iap: ['PENSTOCK_IAP_AUDIENCE'],
  oidc: ['PENSTOCK_OIDC_ISSUER', 'PENSTOCK_OIDC_AUDIENCE'],
} as const;

/** What a mode cannot do without, and what would let anybody in. */
export function checkIdentity(
  config: IdentityConfig & { K_SERVICE?: string | undefined; PENSTOCK_TOKEN?: string | undefined },
  context: Pick<z.RefinementCtx, 'addIssue'>,
): void {
  const mode = config.PENSTOCK_IDENTITY;
  const tell = (name: string, message: string): void =>
    context.addIssue({ code: 'custom', path: [name], message });
  for (const name of NEEDED[mode]) {
    if (config[name] === undefined) tell(name, `PENSTOCK_IDENTITY=${mode} needs it`);
  }
  if (mode === 'iam' && config.K_SERVICE === undefined) {
    tell(
      'PENSTOCK_IDENTITY',
      'iam trusts Cloud Run to have checked each token, and this is not Cloud Run; take oidc',
    );
  }
  if (mode === 'local' && config.K_SERVICE !== undefined && config.PENSTOCK_TOKEN === undefined) {
    tell(
      'PENSTOCK_TOKEN',
      'PENSTOCK_IDENTITY=local needs it on Cloud Run, where nobody calls from the same machine',
    );
  }
  if (mode !== 'iam' && config.PENSTOCK_INVOKER_ROLE !== 'none') {
    tell('PENSTOCK_INVOKER_ROLE', `only PENSTOCK_IDENTITY=iam has invokers, not ${mode}`);
  }
}
