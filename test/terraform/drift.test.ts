import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXPIRE_AT_FIELD } from '../../shared/adapters/google/firestore-document.ts';
import { refs } from '../../shared/core/refs.ts';
import { topics } from '../../shared/messages/topics.ts';
import { NO_DRIVERS } from '../../shared/runtime/config.ts';
import { readGoogleConfig } from '../../shared/runtime/google-config.ts';
import { SECRET_VARIABLES } from '../../shared/runtime/resolve-secrets.ts';
import { ROUTES } from '../../shared/runtime/routes.ts';
import { DEAD_LETTER_TOPIC, SUBSCRIPTIONS } from '../../shared/runtime/subscriptions.ts';
import { readIndexes } from '../support/firestore-planner.ts';
import { reachableCode } from '../support/reachable-code.ts';
import { type Hcl, readLocal } from '../support/read-hcl.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const local = (file: string, name: string): Hcl => readLocal(join(root, 'terraform', file), name);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface FunctionSettings {
  door: 'public' | 'people' | 'jobs' | 'ours';
  publishes?: string[] | { text: string };
  secrets?: string[];
  bucket?: boolean;
  signs?: boolean;
  jobs?: 'start' | 'cancel';
  workflows?: 'drives' | 'wakes';
}

const functions = local('functions.tf', 'function_settings') as unknown as Record<string, FunctionSettings>;
const allTopics = local('functions.tf', 'all_topics') as unknown as string[];
const folders = readdirSync(join(root, 'functions')).filter((name) =>
  existsSync(join(root, 'functions', name, 'index.ts')),
);
/** Until its folder is there, Terraform alone knows it and what it brings. */
const AWAITED = existsSync(join(root, 'functions/stages')) ? [] : ['stages'];
const present = Object.entries(functions).filter(([name]) => !AWAITED.includes(name));
const publishesOf = ({ publishes = [] }: FunctionSettings): string[] =>
  Array.isArray(publishes) ? publishes : allTopics;

describe('the functions that Terraform makes', () => {
  it('are the folders of functions/ that register one', () => {
    expect(Object.keys(functions).toSorted()).toEqual([...folders, ...AWAITED].toSorted());
  });

  it('are registered by the names that are their entry points', () => {
    for (const [name] of present) expect(read(`functions/${name}/index.ts`)).toMatch(`('${name}',`);
  });

  it('stand in the README', () => {
    for (const [name] of present) expect(read('README.md')).toMatch(`| \`${name}\` `);
  });

  it('have one public door, which is the one that checks a signature', () => {
    expect(
      Object.entries(functions).flatMap(([name, { door }]) => (door === 'public' ? [name] : [])),
    ).toEqual(['webhooks']);
  });

  it('stand behind the load balancer where people and GitHub look for them, and nowhere else', () => {
    const fronted = local('load-balancer.tf', 'front_paths') as unknown as Record<string, string[]>;
    const asked = (name: string) => ROUTES.filter((route) => route.function === name).map(({ path }) => path);
    for (const [name, paths] of Object.entries(fronted)) {
      expect([name, paths.toSorted()]).toEqual([name, asked(name).toSorted()]);
    }
  });
});

describe('what a function is granted', () => {
  /** Topics that its code names where it publishes; those of `dispatch-task` and the like included. */
  const topicsIn = (code: string): string[] => [
    ...new Set([...code.matchAll(/publish\(\s*ports,\s*'([a-z-]+)'/g)].map(([, topic = '']) => topic)),
  ];

  it.each(present)('is enough for what the code of %s can reach', (name, settings) => {
    const code = reachableCode(root, name);
    expect(publishesOf(settings)).toEqual(expect.arrayContaining(topicsIn(code)));
    if (/jobs\.start\(/.test(code)) expect(settings.jobs).toBe('start');
    if (/jobs\.cancel\(/.test(code)) expect(settings.jobs).toBeDefined();
    if (/blobs\.(get|put|list|delete)\(/.test(code)) expect(settings.bucket ?? true).toBe(true);
    if (/workflows\.(start|state|cancel)\(/.test(code)) expect(settings.workflows).toBe('drives');
    if (/workflows\.wake\(/.test(code)) expect(settings.workflows).toBeDefined();
    if (/codeHost\(/.test(code)) expect(settings.secrets).toContain('GITHUB_PRIVATE_KEY');
  });

  it('lets those sign URLs that give them away', () => {
    const signs = present.flatMap(([name, settings]) => (settings.signs === true ? [name] : []));
    const gives = folders.filter((name) =>
      /blobs\.signUrl\(\{ key, method: 'GET'/.test(reachableCode(root, name)),
    );
    expect(signs.toSorted()).toEqual(gives.toSorted());
  });

  it('gives the key of the model to those whose code calls it', () => {
    const calls = folders.filter((name) => /gateway\.|whenAdmitted\(/.test(reachableCode(root, name)));
    const has = present.flatMap(([name, { secrets = [] }]) =>
      secrets.includes('ANTHROPIC_API_KEY') ? [name] : [],
    );
    expect(has.toSorted()).toEqual(calls.toSorted());
  });
});

describe('the messages that Terraform carries', () => {
  it('have the topics of the schemas', () => {
    const source = read('terraform/pubsub.tf');
    const named = /topics += toset\(\[([^\]]+)\]\)/.exec(source)?.[1]?.match(/[a-z-]+/g) ?? [];
    expect(named.toSorted()).toEqual(Object.keys(topics).toSorted());
    expect(local('pubsub.tf', 'dead_letter_topic')).toBe(DEAD_LETTER_TOPIC);
    expect([...allTopics, DEAD_LETTER_TOPIC].toSorted()).toEqual(Object.keys(topics).toSorted());
  });

  it('have the subscriptions that the code has', () => {
    const backoff = local('pubsub.tf', 'backoff') as unknown as { minimum: string; maximum: string };
    const expected = Object.fromEntries(
      SUBSCRIPTIONS.map((one) => [
        one.function,
        {
          topic: one.topic,
          ack_seconds: one.ackDeadlineSeconds,
          max_delivery_attempts: one.maxDeliveryAttempts ?? null,
        },
      ]),
    );
    expect(local('pubsub.tf', 'subscriptions')).toEqual(expected);
    for (const one of SUBSCRIPTIONS) {
      expect(backoff).toEqual({ minimum: `${one.minBackoffSeconds}s`, maximum: `${one.maxBackoffSeconds}s` });
    }
  });
});

describe('the records that Terraform prepares', () => {
  it('expire in every collection whose writer says when, by the field of the adapter', () => {
    const writers = readdirSync(join(root, 'shared/core'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => read(`shared/core/${file}`))
      .filter((source) => /\bexpireAt\b/.test(source));
    const written = writers.flatMap((source) =>
      [...source.matchAll(/ref: refs\.(\w+)\([^}]*?expireAt:/g)].map(([, name = '']) => name),
    );
    // As many as there are writers, so that one in another shape is not overlooked.
    expect(written).toHaveLength(writers.length);
    const collections = written.map((name) => {
      const refOf = refs[name as 'delivery'];
      return refOf('x').collection.split('/').at(-1);
    });
    expect([...new Set(collections)]).toEqual(
      /expiring += toset\(\[([^\]]+)\]\)/.exec(read('terraform/firestore.tf'))?.[1]?.match(/\w+/g),
    );
    expect(local('firestore.tf', 'expire_at_field')).toBe(EXPIRE_AT_FIELD);
  });

  it('keep out of the indexes only fields that there are and that no query asks for', () => {
    const source = read('terraform/firestore.tf');
    const fields = /for field in \[([^\]]+)\]/.exec(source)?.[1]?.match(/\w+/g) ?? [];
    expect(fields).toEqual(['attempts', 'dependantPools', 'instructions', 'result']);
    for (const field of [...fields, 'history']) {
      expect(read('shared/core/task.ts')).toMatch(new RegExp(`^ {2}${field}\\??: `, 'm'));
      expect(readIndexes().flatMap((index) => index.fields.map(({ name }) => name))).not.toContain(field);
    }
  });
});

describe('the environment that Terraform writes', () => {
  const namesIn = (file: string): string[] => [
    ...new Set(
      [
        ...read(`terraform/${file}`).matchAll(
          /\b((?:PENSTOCK|GITHUB|OTEL|ANTHROPIC|GOOGLE)_[A-Z_]+|ENVIRONMENT|LOG_LEVEL) += /g,
        ),
      ].map(([, name = '']) => name),
    ),
  ];
  const known = (...files: string[]): string[] =>
    files.flatMap((file) =>
      [...read(`shared/runtime/${file}.ts`).matchAll(/^ +([A-Z][A-Z_]+)\b/gm)].map(([, name = '']) => name),
    );
  const ofFunctions = known('config', 'google-config', 'identity-config', 'trace-config');
  /** Come with the function that is awaited. */
  const awaited = AWAITED.length === 0 ? [] : ['PENSTOCK_DRIVERS'];

  it('has for functions only names that they read', () => {
    const written = [...namesIn('environments.tf'), ...namesIn('secrets.tf')];
    expect(written.length).toBeGreaterThan(20);
    expect(written.filter((name) => ![...ofFunctions, ...awaited].includes(name))).toEqual([]);
  });

  it('has for the job only names that it reads', () => {
    const written = Object.keys(local('job.tf', 'job_environment') as unknown as object);
    expect(written.filter((name) => !known('job-config', 'trace-config').includes(name))).toEqual([]);
    // The starter gives the rest with each execution.
    expect(written).toEqual(expect.arrayContaining(['PENSTOCK_ATTEMPTS_URL', 'PENSTOCK_ATTEMPTS_AUDIENCE']));
  });

  it('names as drivers what drives runs', () => {
    const none = /no_drivers = \[([^\]]+)\]/.exec(read('terraform/workflows.tf'))?.[1]?.match(/[a-z-]+/g);
    expect(none?.toSorted()).toEqual(NO_DRIVERS.toSorted());
    for (const name of NO_DRIVERS) expect(existsSync(join(root, `workflows/${name}.yaml`))).toBe(true);
  });

  it('has for workflows the names that they read, and no other', () => {
    const given = /user_env_vars = \{([^}]+)\}/.exec(read('terraform/workflows.tf'))?.[1] ?? '';
    const files = readdirSync(join(root, 'workflows')).filter((file) => file.endsWith('.yaml'));
    const asked = files.flatMap((file) =>
      [...read(`workflows/${file}`).matchAll(/sys\.get_env\("(PENSTOCK_\w+)"\)/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect([...new Set(asked)].toSorted()).toEqual(given.match(/PENSTOCK_\w+/g)?.toSorted());
  });

  it('is all that a function needs to start', () => {
    const always = Object.fromEntries(
      [
        ...(/environment = \{\n([^]*?)\n {4}\} :/
          .exec(read('terraform/environments.tf'))?.[1]
          ?.matchAll(/^ +([A-Z_]+) += /gm) ?? []),
      ].map(([, name = '']) => [name, VALUES[name] ?? 'value']),
    );
    const start = (identity: object) => readGoogleConfig({ ...always, K_SERVICE: 'api', ...identity });
    expect(
      start({ PENSTOCK_IDENTITY: 'iam', PENSTOCK_ADMINS: '', PENSTOCK_INVOKER_ROLE: 'none' }),
    ).toMatchObject({
      PENSTOCK_IDENTITY: 'iam',
    });
    expect(() => start({})).toThrow('PENSTOCK_IDENTITY');
  });

  it('has a secret for every variable that may be one, but for the token of local mode', () => {
    const secrets = Object.keys(local('secrets.tf', 'secret_names') as unknown as object);
    expect([...secrets, 'PENSTOCK_TOKEN'].toSorted()).toEqual([...SECRET_VARIABLES].toSorted());
    const given = Object.values(functions).flatMap((one) => one.secrets ?? []);
    expect([...new Set(given)].toSorted()).toEqual(secrets.toSorted());
  });
});

/** Samples in the shape that Terraform gives. */
const VALUES: Record<string, string> = {
  GITHUB_APP_ID: '12345',
  PENSTOCK_GITHUB_ACCOUNTS: 'acme,dana',
  LOG_LEVEL: 'INFO',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example.com',
  PENSTOCK_BUDGET_USD: '2',
  PENSTOCK_REGION: 'europe-west1',
  PENSTOCK_JOB_WORKFLOW: 'agent-job',
  PENSTOCK_MAX_JOBS: '20',
  PENSTOCK_PUBLIC_URL: 'https://api-123456789012.europe-west1.run.app',
  PENSTOCK_TENANT: 'main',
};
