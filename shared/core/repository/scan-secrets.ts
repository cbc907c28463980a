export interface SecretFinding {
  kind: string;
  path: string;
  /** From 1. */
  line: number;
}

interface SecretPattern {
  kind: string;
  pattern: RegExp;
}

/** Known shapes only: a guess by entropy stops honest work on hashes, fixtures and lockfiles. */
const PATTERNS: SecretPattern[] = [
  {
    kind: 'private key',
    pattern:
      /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[\s\S]{0,8000}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|(?:(?:\\[nr]|\s){0,4}[A-Za-z0-9+/=]{20,}){0,400})/g,
  },
  {
    kind: 'GitHub token',
    pattern:
      /\b(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9_]{60,255}|ghs_[A-Za-z0-9._-]{36,520})/g,
  },
  { kind: 'GitLab token', pattern: /\bgl(?:pat|ptt|dt|rt|cbt)-[A-Za-z0-9_-]{20,64}/g },
  { kind: 'Anthropic key', pattern: /\bsk-ant-[A-Za-z0-9_-]{20,200}/g },
  {
    kind: 'OpenAI key',
    pattern: /\bsk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,200}|\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}/g,
  },
  { kind: 'AWS access key', pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g },
  {
    kind: 'AWS secret key',
    pattern: /aws_?secret_?(?:access_?)?key["']?\s{0,5}[:=]\s{0,5}["']?[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/gi,
  },
  { kind: 'Google API key', pattern: /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g },
  { kind: 'Google OAuth token', pattern: /\bya29\.[A-Za-z0-9_-]{20,500}|\bGOCSPX-[A-Za-z0-9_-]{28}/g },
  { kind: 'Slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}|\bxapp-\d-[A-Za-z0-9-]{10,250}/g },
  {
    kind: 'Slack webhook',
    pattern: /https:\/\/hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{20,200}/g,
  },
  { kind: 'Stripe key', pattern: /\b(?:sk|rk)_live_[A-Za-z0-9]{16,247}|\bwhsec_[A-Za-z0-9+/]{32,64}/g },
  { kind: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b|_authToken\s?=\s?[A-Za-z0-9_-]{20,100}/g },
  { kind: 'SendGrid key', pattern: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/g },
  {
    kind: 'JSON web token',
    pattern: /\beyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{16,1000}/g,
  },
  // User and password in a URL; placeholders such as ${PASSWORD} or <password> are none.
  {
    kind: 'password in a URL',
    pattern:
      /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'`<>{}$%]{1,64}:[^\s:/@"'`<>{}$%*]{8,128}@(?=[A-Za-z0-9])/g,
  },
];
/** What an authorization header carries: only in what is logged, because code may name one in a test. */
const LOG_PATTERNS: SecretPattern[] = [
  { kind: 'authorization', pattern: /(?<=\b(?:Bearer|Basic|token)\s)[A-Za-z0-9._~+/-]{16,4000}={0,2}/g },
];
const MAX_FINDINGS = 100;

/** Where known kinds of secrets stand in a text, without the secrets themselves; at most 100, in order of lines. */
export function scanSecrets(path: string, text: string): SecretFinding[] {
  const found = PATTERNS.flatMap(({ kind, pattern }) =>
    [...text.matchAll(pattern)].map(({ index }) => ({ kind, index })),
  );
  const first = found.toSorted((a, b) => a.index - b.index).slice(0, MAX_FINDINGS);
  return first.map(({ kind, index }) => ({ kind, path, line: lineOf(text, index) }));
}

/** The text with each secret replaced by `[redacted: kind]`, for transcripts and logs. */
export function redact(text: string): string {
  return [...PATTERNS, ...LOG_PATTERNS].reduce(
    (safe, { kind, pattern }) => safe.replace(pattern, `[redacted: ${kind}]`),
    text,
  );
}

function lineOf(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
