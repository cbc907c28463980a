import { topics } from '../../../shared/messages/topics.ts';
import { DEAD_LETTER_TOPIC, SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';
import { readFileSync } from 'node:fs';
import { FUNCTION_GRANTS } from '../../../functions/cli/client/function-grants.ts';
import { REQUIRED_FUNCTIONS } from '../../../functions/cli/client/examine-functions.ts';
import { REQUIRED_SERVICES } from '../../../functions/cli/client/examine-project.ts';
import { GoogleApiError, type GoogleServer, type Operation, startGoogleServer } from './google-server.ts';

export const PROJECT = 'acme-penstock';
const REGION = 'europe-west1';
const SECRET = 'penstock-anthropic-api-key';

/** What the project holds; by full name, as its APIs answer it. A test takes out and changes. */
export type Held = Record<string, Record<string, unknown>>;

/** Who has which role, by the full name of the thing. */
export type Grants = Record<string, Record<string, string[]>>;

export interface ProjectStandIn extends GoogleServer {
  held: Held;
  grants: Grants;
}

/** A project with a whole system in it, behind the reading methods of the APIs that list its parts. */
export async function startProjectStandIn(): Promise<ProjectStandIn> {
  const held = wholeSystem();
  const grants = wholeGrants();
  const under = (parent: string) => Object.entries(held).filter(([name]) => name.startsWith(`${parent}/`));
  const list = (name: string, path: RegExp, permission: string, query: string[]): Operation => ({
    name: `${name}.list`,
    method: 'GET',
    path,
    query: ['pageSize', 'pageToken', ...query],
    permissions: [permission],
    answer: ({ parameters: { parent = '' }, query: { pageToken = '0', pageSize = '5' } }) => {
      const [from, size] = [Number(pageToken), Math.min(Number(pageSize), 10)];
      const all = under(parent.replace('/-/', `/${REGION}/`)).map(([, one]) => one);
      const rest = all.length > from + size ? { nextPageToken: String(from + size) } : {};
      return { [name]: all.slice(from, from + size), ...rest };
    },
  });
  const get = (name: string, path: RegExp, permission: string): Operation => ({
    name: `${name}.get`,
    method: 'GET',
    path,
    permissions: [permission],
    answer: ({ parameters: { name: full = '' } }) => {
      const found = held[full];
      if (found === undefined) throw new GoogleApiError(404, `Resource ${full} was not found`);
      return found;
    },
  });
  const policy = (name: string, path: RegExp, permission: string): Operation => ({
    name: `${name}.getIamPolicy`,
    method: name === 'projects' ? 'POST' : 'GET',
    path,
    permissions: [permission],
    answer: ({ parameters: { name: full = '' } }) => {
      // A service is held as its function.
      if (
        name !== 'projects' &&
        held[full.replace('/services/', '/functions/')] === undefined &&
        !hasVersion(full)
      )
        throw new GoogleApiError(404, `Resource ${full} was not found`);
      const roles = Object.entries(grants[full] ?? {});
      return { etag: 'ACAB', bindings: roles.map(([role, members]) => ({ role, members })) };
    },
  });
  const hasVersion = (secret: string): boolean =>
    Object.keys(held).some((name) => name.startsWith(`${secret}/versions/`));
  const server = await startGoogleServer([
    policy(
      'projects',
      /^\/v3\/(?<name>projects\/[^/:]+):getIamPolicy$/,
      'resourcemanager.projects.getIamPolicy',
    ),
    policy(
      'topics',
      /^\/v1\/(?<name>projects\/[^/]+\/topics\/[^/:]+):getIamPolicy$/,
      'pubsub.topics.getIamPolicy',
    ),
    policy(
      'subscriptions',
      /^\/v1\/(?<name>projects\/[^/]+\/subscriptions\/[^/:]+):getIamPolicy$/,
      'pubsub.subscriptions.getIamPolicy',
    ),
    policy(
      'services',
      /^\/v2\/(?<name>projects\/[^/]+\/locations\/[^/]+\/services\/[^/:]+):getIamPolicy$/,
      'run.services.getIamPolicy',
    ),
    policy('buckets', /^\/storage\/v1\/(?<name>b\/[^/]+)\/iam$/, 'storage.buckets.getIamPolicy'),
    policy(
      'secrets',
      /^\/v1\/(?<name>projects\/[^/]+\/secrets\/[^/:]+):getIamPolicy$/,
      'secretmanager.secrets.getIamPolicy',
    ),
    list(
      'jobs',
      /^\/v1\/(?<parent>projects\/[^/]+\/locations\/[^/]+\/jobs)$/,
      'cloudscheduler.jobs.list',
      [],
    ),
    get(
      'workflows',
      /^\/v1\/(?<name>projects\/[^/]+\/locations\/[^/]+\/workflows\/[^/]+)$/,
      'workflows.workflows.get',
    ),
    list('services', /^\/v1\/(?<parent>projects\/[^/]+\/services)$/, 'serviceusage.services.list', [
      'filter',
    ]),
    list('topics', /^\/v1\/(?<parent>projects\/[^/]+\/topics)$/, 'pubsub.topics.list', []),
    list(
      'subscriptions',
      /^\/v1\/(?<parent>projects\/[^/]+\/subscriptions)$/,
      'pubsub.subscriptions.list',
      [],
    ),
    list(
      'functions',
      /^\/v2\/(?<parent>projects\/[^/]+\/locations\/[^/]+\/functions)$/,
      'cloudfunctions.functions.list',
      [],
    ),
    get('databases', /^\/v1\/(?<name>projects\/[^/]+\/databases\/[^/]+)$/, 'datastore.databases.getMetadata'),
    get('jobs', /^\/v2\/(?<name>projects\/[^/]+\/locations\/[^/]+\/jobs\/[^/]+)$/, 'run.jobs.get'),
    get('buckets', /^\/storage\/v1\/(?<name>b\/[^/]+)$/, 'storage.buckets.get'),
    get(
      'versions',
      /^\/v1\/(?<name>projects\/[^/]+\/secrets\/[^/]+\/versions\/[^/]+)$/,
      'secretmanager.versions.get',
    ),
  ]);
  return { ...server, held, grants };
}

function wholeSystem(): Held {
  const project = `projects/${PROJECT}`;
  const place = `${project}/locations/${REGION}`;
  const all: { name: string; [field: string]: unknown }[] = [
    ...REQUIRED_SERVICES.map((name) => ({ name: `${project}/services/${name}`, state: 'ENABLED' })),
    ...Object.keys(topics).map((name) => ({ name: `${project}/topics/${name}` })),
    ...SUBSCRIPTIONS.map((one) => ({
      name: `${project}/subscriptions/${one.function}`,
      topic: `${project}/topics/${one.topic}`,
      state: 'ACTIVE',
    })),
    ...REQUIRED_FUNCTIONS.map((name) => ({
      name: `${place}/functions/${name}`,
      state: 'ACTIVE',
      serviceConfig: {
        serviceAccountEmail: accountOf(name),
        environmentVariables: {
          PENSTOCK_BUCKET: `${PROJECT}-data`,
          PENSTOCK_DRIVERS: 'requirement,sequential',
          PENSTOCK_JOB: 'agent-job',
          PENSTOCK_JOB_HIGH: 'agent-job-high',
        },
        secretEnvironmentVariables: [
          { key: 'ANTHROPIC_API_KEY', projectId: PROJECT, secret: SECRET, version: '3' },
        ],
      },
    })),
    ...['agent-job', 'agent-job-high'].map((name) => ({
      name: `${place}/jobs/${name}`,
      terminalCondition: { state: 'CONDITION_SUCCEEDED' },
    })),
    ...['requirement', 'sequential'].map((name) => ({
      name: `${place}/workflows/${name}`,
      state: 'ACTIVE',
      revisionId: '000001-a4d',
      sourceContents: readFileSync(new URL(`../../../workflows/${name}.yaml`, import.meta.url), 'utf8'),
    })),
    {
      name: `${place}/jobs/penstock-sweep`,
      state: 'ENABLED',
      httpTarget: { uri: 'https://sweep-x.a.run.app/internal/sweep' },
      status: {},
    },
    { name: `${project}/databases/(default)`, type: 'FIRESTORE_NATIVE' },
    { name: `b/${PROJECT}-data` },
    { name: `${project}/secrets/${SECRET}/versions/3`, state: 'ENABLED' },
  ];
  return Object.fromEntries(all.map((one) => [one.name, one]));
}

const accountOf = (name: string): string => `penstock-${name}@${PROJECT}.iam.gserviceaccount.com`;

/** As Terraform grants them. */
function wholeGrants(): Grants {
  const project = `projects/${PROJECT}`;
  const member = (name: string): string => `serviceAccount:${accountOf(name)}`;
  const forwarder = 'serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com';
  const publishers = (topic: string): string[] =>
    REQUIRED_FUNCTIONS.filter((name) => FUNCTION_GRANTS[name]?.publishes.some((one) => one === topic)).map(
      member,
    );
  const callers: Record<string, string> = {
    ...Object.fromEntries(SUBSCRIPTIONS.map((one) => [one.function, member('delivery')])),
    attempts: member('agent-job'),
    stages: member('workflow'),
    sweep: member('scheduler'),
    webhooks: 'allUsers',
  };
  return {
    [project]: { 'roles/datastore.user': REQUIRED_FUNCTIONS.map(member) },
    [`b/${PROJECT}-data`]: {
      'roles/storage.objectUser': REQUIRED_FUNCTIONS.filter((name) => FUNCTION_GRANTS[name]?.bucket).map(
        member,
      ),
    },
    [`${project}/secrets/${SECRET}`]: {
      'roles/secretmanager.secretAccessor': REQUIRED_FUNCTIONS.map(member),
    },
    ...Object.fromEntries(
      Object.keys(topics).map((topic) => [
        `${project}/topics/${topic}`,
        { 'roles/pubsub.publisher': topic === DEAD_LETTER_TOPIC ? [forwarder] : publishers(topic) },
      ]),
    ),
    ...Object.fromEntries(
      SUBSCRIPTIONS.map((one) => [
        `${project}/subscriptions/${one.function}`,
        { 'roles/pubsub.subscriber': [forwarder] },
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(callers).map(([name, caller]) => [
        `${project}/locations/${REGION}/services/${name}`,
        { 'roles/run.invoker': [caller] },
      ]),
    ),
  };
}
