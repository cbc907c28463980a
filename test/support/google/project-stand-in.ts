import { topics } from '../../../shared/messages/topics.ts';
import { SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';
import { REQUIRED_FUNCTIONS } from '../../../functions/cli/client/examine-functions.ts';
import { REQUIRED_SERVICES } from '../../../functions/cli/client/examine-project.ts';
import { GoogleApiError, type GoogleServer, type Operation, startGoogleServer } from './google-server.ts';

export const PROJECT = 'acme-penstock';
const REGION = 'europe-west1';
const SECRET = 'penstock-anthropic-api-key';

/** What the project holds; by full name, as its APIs answer it. A test takes out and changes. */
export type Held = Record<string, Record<string, unknown>>;

export interface ProjectStandIn extends GoogleServer {
  held: Held;
}

/** A project with a whole system in it, behind the reading methods of the APIs that list its parts. */
export async function startProjectStandIn(): Promise<ProjectStandIn> {
  const held = wholeSystem();
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
  const server = await startGoogleServer([
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
  return { ...server, held };
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
        environmentVariables: {
          PENSTOCK_BUCKET: `${PROJECT}-data`,
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
    { name: `${project}/databases/(default)`, type: 'FIRESTORE_NATIVE' },
    { name: `b/${PROJECT}-data` },
    { name: `${project}/secrets/${SECRET}/versions/3`, state: 'ENABLED' },
  ];
  return Object.fromEntries(all.map((one) => [one.name, one]));
}
