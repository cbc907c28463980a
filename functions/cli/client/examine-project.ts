import { topics } from '../../../shared/messages/topics.ts';
import { SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';
import { readFunctions } from './deployed-functions.ts';
import { examineFunctions, REQUIRED_FUNCTIONS } from './examine-functions.ts';
import { examineGrants } from './examine-grants.ts';
import { examineSchedule } from './examine-schedule.ts';
import { examineWorkflows } from './examine-workflows.ts';
import { APPLY, lastOf, presence, type ProjectFinding, unread } from './project-finding.ts';
import { enableCommand, type ProjectReader, type Question } from './project-reader.ts';

/** APIs that every system needs, as terraform/apis.tf enables them. */
export const REQUIRED_SERVICES = [
  'artifactregistry',
  'cloudbuild',
  'cloudfunctions',
  'cloudscheduler',
  'firestore',
  'iam',
  'iamcredentials',
  'logging',
  'monitoring',
  'pubsub',
  'run',
  'secretmanager',
  'storage',
  'workflowexecutions',
  'workflows',
].map((name) => `${name}.googleapis.com`);

/** What the Google Cloud project of a system has and lacks, part by part. `region`: of its functions, where others have the same names. */
export async function examineProject(reader: ProjectReader, region?: string): Promise<ProjectFinding[]> {
  const groups = await Promise.all([
    services(reader),
    database(reader),
    allTopics(reader),
    subscriptions(reader),
    deployment(reader, region),
  ]);
  return groups.flat();
}

/** The functions, and what only they can say where it is. */
async function deployment(reader: ProjectReader, region?: string): Promise<ProjectFinding[]> {
  const answer = await readFunctions(reader, region);
  if (answer.state !== 'ok') return unread('functions', answer);
  const ours = answer.value.filter(({ name }) => REQUIRED_FUNCTIONS.includes(lastOf(name)));
  const groups = await Promise.all([
    examineFunctions(reader, ours),
    examineWorkflows(reader, ours),
    examineSchedule(reader, ours),
    examineGrants(reader, ours),
  ]);
  return groups.flat();
}

async function services(reader: ProjectReader): Promise<ProjectFinding[]> {
  const { project } = reader;
  const question: Question = {
    api: 'serviceusage',
    what: 'enabled APIs',
    role: 'roles/serviceusage.serviceUsageViewer',
    path: `/v1/projects/${project}/services`,
    query: { filter: 'state:ENABLED', pageSize: '200' },
  };
  const answer = await reader.list<{ name: string }>(question, 'services');
  if (answer.state !== 'ok') return unread('APIs', answer);
  const enabled = new Set(answer.value.map(({ name }) => lastOf(name)));
  return REQUIRED_SERVICES.map((service) =>
    enabled.has(service)
      ? { name: `API ${service}`, state: 'ok', detail: 'enabled' }
      : { name: `API ${service}`, state: 'missing', detail: enableCommand(project, service) },
  );
}

async function database(reader: ProjectReader): Promise<ProjectFinding[]> {
  const name = 'database (default)';
  const answer = await reader.get<{ type?: string }>({
    api: 'firestore',
    what: name,
    role: 'roles/datastore.viewer',
    path: `/v1/projects/${reader.project}/databases/(default)`,
  });
  if (answer.state !== 'ok') return unread(name, answer);
  const { type } = answer.value;
  if (type === 'FIRESTORE_NATIVE') return [presence(name, true)];
  const detail = `it is ${type} and has to be FIRESTORE_NATIVE: use another project`;
  return [{ name, state: 'wrong', detail }];
}

async function allTopics(reader: ProjectReader): Promise<ProjectFinding[]> {
  const answer = await reader.list<{ name: string }>(pubsub(reader, 'topics'), 'topics');
  if (answer.state !== 'ok') return unread('topics', answer);
  const found = new Set(answer.value.map(({ name }) => lastOf(name)));
  return Object.keys(topics).map((topic) => presence(`topic ${topic}`, found.has(topic)));
}

/** A subscription as the project has it. */
interface Subscribed {
  name: string;
  topic?: string;
  state?: string;
  detached?: boolean;
}

async function subscriptions(reader: ProjectReader): Promise<ProjectFinding[]> {
  const answer = await reader.list<Subscribed>(pubsub(reader, 'subscriptions'), 'subscriptions');
  if (answer.state !== 'ok') return unread('subscriptions', answer);
  return SUBSCRIPTIONS.map((wanted) => {
    const name = `subscription ${wanted.function}`;
    const found = answer.value.find((one) => lastOf(one.name) === wanted.function);
    if (found === undefined) return presence(name, false);
    const { topic = '', detached = false, state = 'ACTIVE' } = found;
    if (lastOf(topic) !== wanted.topic || detached)
      return { name, state: 'wrong', detail: `nothing of topic ${wanted.topic} reaches it; ${APPLY}` };
    if (state !== 'ACTIVE') return { name, state: 'wrong', detail: `it is ${state}; ${APPLY}` };
    return presence(name, true);
  });
}

function pubsub({ project }: ProjectReader, what: 'topics' | 'subscriptions'): Question {
  const path = `/v1/projects/${project}/${what}`;
  return { api: 'pubsub', what, role: 'roles/pubsub.viewer', path, query: { pageSize: '500' } };
}
