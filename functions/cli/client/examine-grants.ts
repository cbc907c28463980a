import { topics } from '../../../shared/messages/topics.ts';
import { DEAD_LETTER_TOPIC, SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';
import { type Deployed, regionOf, secretsOf, valuesOf } from './deployed-functions.ts';
import { FUNCTION_GRANTS } from './function-grants.ts';
import { APPLY, lastOf, type ProjectFinding } from './project-finding.ts';
import type { Answer, ProjectReader, Question } from './project-reader.ts';

/** Who has to be granted what on one thing. */
interface Wanted {
  /** As in "grants on topic run-accepted". */
  on: string;
  role: string;
  /** By what the reader calls them. A pattern where Google chooses the name. */
  members: Record<string, string | RegExp>;
  question: Omit<Question, 'what' | 'role'>;
}

interface Policy {
  bindings?: { role: string; members?: string[] }[];
}

/** Whom Pub/Sub forwards dead letters as. */
const PUBSUB_AGENT = /^serviceAccount:service-[0-9]+@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/;
const FORWARDER = { "Pub/Sub's own agent": PUBSUB_AGENT };

/** Whether the functions' accounts, Pub/Sub and GitHub may do what the system needs of them, as far as single grants tell. */
export async function examineGrants(
  reader: ProjectReader,
  deployed: readonly Deployed[],
): Promise<ProjectFinding[]> {
  const region = regionOf(deployed);
  if (region === undefined) return [];
  const project = await policyOf(reader, 'project', {
    api: 'cloudresourcemanager',
    path: `/v3/projects/${reader.project}:getIamPolicy`,
    method: 'POST',
  });
  const wanted = [
    ...onPubsub(reader.project, deployed),
    ...onServices(reader.project, region, deployed),
    ...onBuckets(deployed),
    ...onSecrets(reader.project, deployed),
  ];
  const records = lacking(project, project, { role: 'roles/datastore.user', members: accountsOf(deployed) });
  const others = wanted.map(async (one): Promise<ProjectFinding[]> => {
    const policy = await policyOf(reader, one.on, one.question);
    // What is not there is said by whoever looked for it.
    return policy.state === 'missing'
      ? []
      : [{ name: `grants on ${one.on}`, ...lacking(policy, project, one) }];
  });
  return [{ name: 'grants on the project', ...records }, ...(await Promise.all(others)).flat()];
}

function onPubsub(project: string, deployed: readonly Deployed[]): Wanted[] {
  const ask = (path: string) => ({ api: 'pubsub', path: `/v1/projects/${project}/${path}:getIamPolicy` });
  const publishers = Object.keys(topics).map((topic): Wanted => {
    const may = deployed.filter(({ name }) =>
      FUNCTION_GRANTS[lastOf(name)]?.publishes.some((one) => one === topic),
    );
    const members = topic === DEAD_LETTER_TOPIC ? FORWARDER : accountsOf(may);
    return {
      on: `topic ${topic}`,
      role: 'roles/pubsub.publisher',
      members,
      question: ask(`topics/${topic}`),
    };
  });
  const forwarded = SUBSCRIPTIONS.filter(({ maxDeliveryAttempts }) => maxDeliveryAttempts !== undefined);
  const subscribers = forwarded.map(({ function: name }): Wanted => ({
    on: `subscription ${name}`,
    role: 'roles/pubsub.subscriber',
    members: FORWARDER,
    question: ask(`subscriptions/${name}`),
  }));
  return [...publishers, ...subscribers];
}

/** Somebody has to be let in: Pub/Sub and the scheduler by accounts that Terraform chose, GitHub as anybody. */
function onServices(project: string, region: string, deployed: readonly Deployed[]): Wanted[] {
  const callers: Record<string, Wanted['members']> = {
    ...Object.fromEntries(
      SUBSCRIPTIONS.map((one) => [one.function, { 'Pub/Sub as caller': /^serviceAccount:/ }]),
    ),
    attempts: { 'the agent job': /^serviceAccount:/ },
    stages: { 'the workflows': /^serviceAccount:/ },
    sweep: { 'Cloud Scheduler as caller': /^serviceAccount:/ },
    webhooks: { 'GitHub (allUsers)': 'allUsers' },
  };
  return deployed.flatMap(({ name }): Wanted[] => {
    const [service, members] = [lastOf(name), callers[lastOf(name)]];
    const path = `/v2/projects/${project}/locations/${region}/services/${service}:getIamPolicy`;
    return members === undefined
      ? []
      : [{ on: `service ${service}`, role: 'roles/run.invoker', members, question: { api: 'run', path } }];
  });
}

function onBuckets(deployed: readonly Deployed[]): Wanted[] {
  const users = deployed.filter(({ name }) => FUNCTION_GRANTS[lastOf(name)]?.bucket === true);
  return valuesOf(deployed, 'PENSTOCK_BUCKET').map((bucket) => ({
    on: `bucket ${bucket}`,
    role: 'roles/storage.objectUser',
    members: accountsOf(users),
    question: { api: 'storage', path: `/storage/v1/b/${encodeURIComponent(bucket)}/iam` },
  }));
}

function onSecrets(project: string, deployed: readonly Deployed[]): Wanted[] {
  const nameOf = (version: string): string => version.replace(/\/versions\/[^/]+$/, '');
  const mounts = (one: Deployed): string[] => secretsOf(one, project).map(nameOf);
  return [...new Set(deployed.flatMap(mounts))].toSorted().map((secret) => ({
    on: `secret ${lastOf(secret)}`,
    role: 'roles/secretmanager.secretAccessor',
    members: accountsOf(deployed.filter((one) => mounts(one).includes(secret))),
    question: { api: 'secretmanager', path: `/v1/${secret}:getIamPolicy` },
  }));
}

function policyOf(
  reader: ProjectReader,
  on: string,
  question: Omit<Question, 'what' | 'role'>,
): Promise<Answer<Policy>> {
  return reader.get<Policy>({ what: `grants on ${on}`, role: 'roles/iam.securityReviewer', ...question });
}

/** By their functions' names. */
function accountsOf(deployed: readonly Deployed[]): Record<string, string> {
  return Object.fromEntries(
    deployed.map(({ name, serviceConfig }) => [
      lastOf(name),
      `serviceAccount:${serviceConfig?.serviceAccountEmail ?? ''}`,
    ]),
  );
}

/** A role that is granted on the project is granted on all in it. */
function lacking(
  policy: Answer<Policy>,
  project: Answer<Policy>,
  { role, members }: Pick<Wanted, 'role' | 'members'>,
): Omit<ProjectFinding, 'name'> {
  if (policy.state !== 'ok') return policy;
  const bindings = [policy, project].flatMap((one) => (one.state === 'ok' ? (one.value.bindings ?? []) : []));
  const granted = bindings.flatMap((binding) => (binding.role === role ? (binding.members ?? []) : []));
  const has = (member: string | RegExp): boolean =>
    granted.some((one) => (typeof member === 'string' ? one === member : member.test(one)));
  const without = Object.entries(members).flatMap(([who, member]) => (has(member) ? [] : [who]));
  return without.length === 0
    ? { state: 'ok', detail: 'granted' }
    : { state: 'wrong', detail: `${role} is missing for ${without.join(', ')}; ${APPLY}` };
}
