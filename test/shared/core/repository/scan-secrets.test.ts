import { describe, expect, it } from '@jest/globals';
import { redact, scanSecrets } from '../../../../shared/core/repository/scan-secrets.ts';

/** Put together here, so that no scanner takes this file for a leak. */
const alphanumeric = (length: number): string => 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7'.repeat(20).slice(0, length);
const join = (...parts: string[]): string => parts.join('');
const SECRETS: [kind: string, secret: string][] = [
  [
    'private key',
    join('-----BEGIN RSA ', 'PRIVATE KEY-----\n', alphanumeric(64), '\n-----END RSA ', 'PRIVATE KEY-----'),
  ],
  ['private key', join('-----BEGIN ', 'PRIVATE KEY-----\\nMIIE', alphanumeric(40))],
  ['GitHub token', join('ghp', '_', alphanumeric(36))],
  ['GitHub token', join('github', '_pat_', alphanumeric(82))],
  ['Anthropic key', join('sk-ant', '-api03-', alphanumeric(90))],
  ['OpenAI key', join('sk-proj', '-', alphanumeric(60))],
  ['AWS access key', join('AKIA', 'IOSFODNN7EXAMPLE'.replace(/[^A-Z2-7]/g, 'A'))],
  ['AWS secret key', join('aws_secret_access_key = "', alphanumeric(40), '"')],
  ['Google API key', join('AIza', alphanumeric(35))],
  ['Slack token', join('xoxb', '-123456789012-', alphanumeric(24))],
  ['Slack webhook', join('https://hooks.slack.com', '/services/T000/B000/', alphanumeric(24))],
  ['Stripe key', join('sk', '_live_', alphanumeric(24))],
  ['npm token', join('npm', '_', alphanumeric(36))],
  ['JSON web token', join('eyJ', alphanumeric(20), '.eyJ', alphanumeric(40), '.', alphanumeric(43))],
  ['password in a URL', join('postgres://app:', 'Sup3rS3cretPw', '@db.example.com')],
];

describe('the secret scan', () => {
  it.each(SECRETS)('finds a %s, with its line and without itself', (kind, secret) => {
    const findings = scanSecrets('src/a.ts', `first\nconst x = '${secret}';\nlast`);
    expect(findings).toEqual([{ kind, path: 'src/a.ts', line: 2 }]);
    expect(JSON.stringify(findings)).not.toContain(secret.slice(-20));
  });

  it.each(SECRETS)('takes a %s out of text', (kind, secret) => {
    const safe = redact(`before ${secret} after`);
    expect(safe).toContain(`[redacted: ${kind}]`);
    expect(safe).toMatch(/^before .*after$/s);
    expect(safe).not.toContain(secret.slice(-20));
  });

  it.each([
    'sha512-' + alphanumeric(86) + '==',
    'commit 4eea18a0f5b3c2d1e6f798a0b1c2d3e4f5a6b7c8',
    '550e8400-e29b-41d4-a716-446655440000',
    'const token = process.env.GITHUB_TOKEN;',
    'password: ${{ secrets.PASSWORD }}',
    'postgres://user:password@localhost'.replace('password', '${PASSWORD}'),
    'http://localhost:8080/path@2x.png',
    'https://example.com:8443/@scope/name',
    'ghp_short',
    'sk-ant-...',
    'task-based-risk-analysis-sk-learn',
    '-----BEGIN PUBLIC KEY-----',
    '-----BEGIN CERTIFICATE-----',
    'data:image/png;base64,' + alphanumeric(200),
    'aws_secret_access_key = ""',
  ])('does not cry wolf at %s', (text) => {
    expect(scanSecrets('x', text)).toEqual([]);
    expect(redact(text)).toBe(text);
  });

  it('takes authorization headers out of logs, but finds no secret in code that names one', () => {
    const line = `authorization: Bearer ${alphanumeric(30)}`;
    expect(redact(line)).toBe('authorization: Bearer [redacted: authorization]');
    expect(scanSecrets('x', line)).toEqual([]);
  });

  it('names findings in the order of their lines, and not without end', () => {
    const [, slack] = SECRETS.find(([kind]) => kind === 'Slack token')!;
    const [, github] = SECRETS.find(([kind]) => kind === 'GitHub token')!;
    expect(scanSecrets('x', `${slack}\n\n${github}`).map(({ kind, line }) => [kind, line])).toEqual([
      ['Slack token', 1],
      ['GitHub token', 3],
    ]);
    expect(scanSecrets('x', `${github}\n`.repeat(500))).toHaveLength(100);
  });

  it('stays fast on long lines', () => {
    const startedAt = performance.now();
    for (const text of [
      'a'.repeat(1_000_000),
      'eyJ'.repeat(300_000),
      'x://'.repeat(250_000),
      '-----BEGIN PRIVATE KEY-----'.repeat(10_000),
      alphanumeric(500).repeat(2_000),
    ]) {
      redact(text);
    }
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
