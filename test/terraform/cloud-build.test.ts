import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(root, 'cloudbuild.yaml'), 'utf8');

const duration = z.string().regex(/^\d+s$/);
const texts = z.array(z.string());
const step = z.strictObject({
  id: z.string(),
  name: z.string(),
  allowFailure: z.boolean().optional(),
  args: texts.optional(),
  dir: z.string().optional(),
  entrypoint: z.string().optional(),
  env: z.array(z.string().regex(/^[A-Z_]+=/)).optional(),
  script: z.string().optional(),
  secretEnv: texts.optional(),
  timeout: duration.optional(),
  waitFor: texts.optional(),
});
/** The part of https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Build that a build here may have. */
const build = z.strictObject({
  steps: z.array(step),
  substitutions: z.record(z.string().regex(/^_[A-Z][A-Z0-9_]*$/), z.string()),
  timeout: duration,
  options: z.strictObject({
    logging: z.enum(['LEGACY', 'GCS_ONLY', 'CLOUD_LOGGING_ONLY', 'NONE']),
    machineType: z.enum(['E2_HIGHCPU_8', 'E2_HIGHCPU_32', 'E2_MEDIUM', 'N1_HIGHCPU_8', 'N1_HIGHCPU_32']),
  }),
  availableSecrets: z.object({}).optional(),
});
const { steps, substitutions } = build.parse(parse(text));
/** Google's own, without an underscore. */
const BUILT_IN = ['COMMIT_SHA', 'PROJECT_ID'];

describe('the build in Google Cloud', () => {
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
