import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(root, 'cloudbuild.yaml'), 'utf8');

const document: unknown = parse(text);
/** A build as Google's API takes it; where it is from stands in its `$comment`. */
const published = z.fromJSONSchema(
  JSON.parse(readFileSync(join(root, 'test/fixtures/cloud-build/build.schema.json'), 'utf8')) as Parameters<
    typeof z.fromJSONSchema
  >[0],
);
const texts = z.array(z.string());
/** What of it is asked below. */
const build = z.object({
  steps: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      args: texts.optional(),
      env: texts.optional(),
      waitFor: texts.optional(),
    }),
  ),
  substitutions: z.record(z.string(), z.string()),
});
const { steps, substitutions } = build.parse(document);
/** Google's own, without an underscore. */
const BUILT_IN = ['COMMIT_SHA', 'PROJECT_ID'];

describe('the build in Google Cloud', () => {
  it('is one that Google takes, by the schema that it publishes', () => {
    expect(published.safeParse(document)).toMatchObject({ success: true });
  });

  it.each([
    ['a field that there is not', { step: [] }, ''],
    ['a step with another', { steps: [{ name: 'node:24', command: 'npm ci' }] }, 'steps.0'],
    ['minutes', { timeout: '90m' }, 'timeout'],
    ['a machine that there is not', { options: { machineType: 'E2_HIGHCPU_9' } }, 'options.machineType'],
  ])('would not be with %s', (_what, wrong, path) => {
    const { error } = published.safeParse({ ...(document as object), ...wrong });
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('checks, tests, builds, pushes, plans, applies and asks, in that order', () => {
    const ids = steps.map(({ id }) => id);
    expect(ids).toEqual(['check', 'test', 'build', 'image', 'plan', 'apply', 'smoke']);
    // Without waitFor each step waits for the one before.
    expect(steps.filter(({ waitFor }) => waitFor !== undefined)).toEqual([]);
  });

  it('has a script to run each step by hand', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const { id, args = [] } of steps) {
      const byHand = scripts[`ci:${id}`] ?? '';
      const inBuild = args.join(' ');
      expect([
        id,
        inBuild.includes(`ci:${id}`) || (byHand !== '' && inBuild === byHand.replace(/^sh /, '')),
      ]).toEqual([id, true]);
    }
  });

  it('names variables and substitutions as Cloud Build wants them', () => {
    for (const { env = [] } of steps) for (const one of env) expect(one).toMatch(/^[A-Z_]+=/);
    for (const name of Object.keys(substitutions)) expect(name).toMatch(/^_[A-Z][A-Z0-9_]*$/);
  });

  it('uses the substitutions that it documents, that its triggers give, and no others', () => {
    const used = [...text.replaceAll(/^ *#.*$/gm, '').matchAll(/\$(\w+)/g)].map(([, name = '']) => name);
    const own = used.filter((name) => !BUILT_IN.includes(name));
    expect([...new Set(own)].toSorted()).toEqual(Object.keys(substitutions).toSorted());
    const triggers = readFileSync(join(root, 'terraform/build.tf'), 'utf8');
    for (const name of Object.keys(substitutions)) {
      expect(text).toMatch(new RegExp(`^#   ${name} `, 'm'));
      expect(triggers).toMatch(new RegExp(`^ +${name} += `, 'm'));
    }
  });

  it('deploys nothing unless it is told to, and hands no secret to a step', () => {
    expect(substitutions['_DEPLOYS']).toBe('no');
    const deploying = steps.filter(({ id }) => ['image', 'plan', 'apply', 'smoke'].includes(id));
    for (const { env } of deploying) expect(env).toContain('DEPLOYS=$_DEPLOYS');
    expect(text).not.toMatch(/secretEnv|availableSecrets/);
  });

  it('names images by version', () => {
    for (const { name } of steps) expect(name).not.toMatch(/:latest$/);
  });
});
