import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { FUNCTION_GRANTS } from '../../../functions/cli/client/function-grants.ts';
import { REQUIRED_FUNCTIONS } from '../../../functions/cli/client/examine-functions.ts';
import { doctorCommand } from '../../../functions/cli/commands/doctor.ts';
import { createScreen } from '../../../functions/cli/screen.ts';
import { examineProject, REQUIRED_SERVICES } from '../../../functions/cli/client/examine-project.ts';
import { createProjectReader } from '../../../functions/cli/client/project-reader.ts';
import { PROJECT, type ProjectStandIn, startProjectStandIn } from '../../support/google/project-stand-in.ts';
import { readLocal } from '../../support/read-hcl.ts';
import { runPenstock } from '../../support/run-penstock.ts';

const terraform = (file: string): string => new URL(`../../../terraform/${file}`, import.meta.url).pathname;

let google: ProjectStandIn;
beforeEach(async () => {
  google = await startProjectStandIn();
});
afterEach(() => google.stop());

const doctor = (...args: string[]) =>
  runPenstock(['doctor', ...args], { env: { PENSTOCK_GOOGLE_URL: google.url } });

/** What is not as it should be, by name. */
async function lacks(timeoutMs = 60_000): Promise<Record<string, [string, string]>> {
  const reader = createProjectReader({ project: PROJECT, baseUrl: google.url, timeoutMs });
  const findings = await examineProject(reader);
  const wrong = findings.filter(({ state }) => state !== 'ok');
  return Object.fromEntries(wrong.map(({ name, state, detail }) => [name, [state, detail]]));
}

const without = (name: string): void => void delete google.held[`projects/${PROJECT}/${name}`];
const change = (name: string, fields: object): void =>
  void Object.assign(google.held[`projects/${PROJECT}/${name}`] ?? {}, fields);

describe('penstock doctor --project', () => {
  it('finds nothing wrong with a whole system, and has looked at every part', async () => {
    const { code, stdout } = await doctor('--project', PROJECT, '--json');
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { name: string; state: string }[];
    };
    expect({ code, ok }).toEqual({ code: 0, ok: true });
    const kinds = Object.groupBy(findings, ({ name }) => name.split(' ')[0] ?? '');
    expect(Object.fromEntries(Object.entries(kinds).map(([kind, all = []]) => [kind, all.length]))).toEqual({
      API: 15,
      database: 1,
      topic: 6,
      subscription: 6,
      function: 12,
      job: 2,
      bucket: 1,
      secret: 1,
      workflow: 2,
      schedule: 1,
      // The project, topics, subscriptions with a dead letter, services that somebody else calls, bucket, secret.
      grants: 1 + 6 + 5 + 10 + 1 + 1,
    });
  });

  it('says what is missing and what brings it, and ends with 1', async () => {
    without('services/workflows.googleapis.com');
    without('topics/run-finished');
    const { code, stdout } = await doctor('--project', PROJECT);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^missing +API workflows\.googleapis\.com +gcloud services enable workflows\.googleapis\.com --project acme-penstock$/m,
    );
    expect(stdout).toMatch(/^missing +topic run-finished +apply the Terraform configuration$/m);
    expect(stdout).toMatch(/^ok +topic run-accepted +there$/m);
  });

  it.each([
    [['--project', 'Acme Project'], "--project is 'Acme Project' and takes the id of a Google Cloud project"],
    [
      ['--project', PROJECT, '--region', '../x'],
      "--region is '../x' and takes a region such as europe-west1",
    ],
    [['--region', 'europe-west1'], '--region goes with --project'],
  ])('refuses %j', async (args, text) => {
    const cli = { screen: createScreen({ noColour: true }), end: () => undefined };
    await expect(doctorCommand(cli).parseAsync(args, { from: 'user' })).rejects.toMatchObject({
      code: 'invalid',
      message: text,
    });
  });

  it('ends with 3 where Google does not answer', async () => {
    await google.stop();
    const { code, stdout } = await doctor('--project', PROJECT);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^unknown +topics +read of topics: the connection failed \(ECONNREFUSED\)/m);
    google = await startProjectStandIn();
  });
});

describe('what a project lacks', () => {
  it('is nothing at first', async () => {
    expect(await lacks()).toEqual({});
  });

  it('is found where it is gone, part by part', async () => {
    without('databases/(default)');
    without('subscriptions/integration');
    without('locations/europe-west1/functions/sweep');
    without('locations/europe-west1/jobs/agent-job-high');
    without('locations/europe-west1/workflows/sequential');
    without('locations/europe-west1/jobs/penstock-sweep');
    without('secrets/penstock-anthropic-api-key/versions/3');
    delete google.held[`b/${PROJECT}-data`];
    const apply = ['missing', 'apply the Terraform configuration'];
    expect(await lacks()).toEqual({
      'database (default)': apply,
      'subscription integration': apply,
      'function sweep': apply,
      'job agent-job-high': apply,
      'workflow sequential': apply,
      'schedule of sweep': apply,
      'secret penstock-anthropic-api-key/3': apply,
      [`bucket ${PROJECT}-data`]: apply,
    });
  });

  it('is found where it is there and does not work', async () => {
    change('databases/(default)', { type: 'DATASTORE_MODE' });
    change('subscriptions/integration', { topic: '_deleted-topic_' });
    change('subscriptions/notification', { state: 'RESOURCE_ERROR' });
    change('locations/europe-west1/functions/api', {
      state: 'FAILED',
      stateMessages: [{ message: 'the build broke' }],
    });
    change('locations/europe-west1/jobs/agent-job', {
      terminalCondition: { state: 'CONDITION_FAILED', message: 'image not found' },
    });
    change('secrets/penstock-anthropic-api-key/versions/3', { state: 'DISABLED' });
    change('locations/europe-west1/workflows/requirement', {
      revisionId: '000007-b1c',
      sourceContents: 'main: {}',
    });
    change('locations/europe-west1/workflows/sequential', {
      state: 'UNAVAILABLE',
      stateError: { details: 'the key is gone' },
    });
    change('locations/europe-west1/jobs/penstock-sweep', { state: 'PAUSED' });
    expect(await lacks()).toEqual({
      'database (default)': ['wrong', expect.stringContaining('it is DATASTORE_MODE')],
      'subscription integration': ['wrong', expect.stringContaining('nothing of topic run-finished')],
      'subscription notification': ['wrong', expect.stringContaining('it is RESOURCE_ERROR')],
      'function api': ['wrong', expect.stringContaining('it is FAILED: the build broke')],
      'job agent-job': ['wrong', expect.stringContaining('image not found')],
      'secret penstock-anthropic-api-key/3': ['wrong', expect.stringContaining('it is DISABLED')],
      'workflow requirement': [
        'wrong',
        expect.stringContaining('revision 000007-b1c is not what workflows/ has here; apply the Terraform'),
      ],
      'workflow sequential': ['wrong', expect.stringContaining('it is UNAVAILABLE: the key is gone')],
      'schedule of sweep': [
        'wrong',
        `it is paused: gcloud scheduler jobs resume penstock-sweep --location europe-west1 --project ${PROJECT}`,
      ],
    });
  });

  it('is an answer of the sweep, where the last one was none', async () => {
    change('locations/europe-west1/jobs/penstock-sweep', { status: { code: 7 } });
    expect(await lacks()).toEqual({
      'schedule of sweep': ['wrong', expect.stringContaining('its last call ended with gRPC code 7')],
    });
  });

  it('is a grant, and whose', async () => {
    const take = (name: string, role: string, who: RegExp): void => {
      const roles = google.grants[name] ?? {};
      roles[role] = (roles[role] ?? []).filter((member) => !who.test(member));
    };
    const project = `projects/${PROJECT}`;
    take(project, 'roles/datastore.user', /-sweep@/);
    take(`${project}/topics/run-accepted`, 'roles/pubsub.publisher', /-(api|intake)@/);
    take(`${project}/topics/dead-letter`, 'roles/pubsub.publisher', /gcp-sa-pubsub/);
    take(`${project}/subscriptions/integration`, 'roles/pubsub.subscriber', /gcp-sa-pubsub/);
    take(`${project}/locations/europe-west1/services/webhooks`, 'roles/run.invoker', /allUsers/);
    take(`${project}/locations/europe-west1/services/integration`, 'roles/run.invoker', /-delivery@/);
    take(`b/${PROJECT}-data`, 'roles/storage.objectUser', /-stages@/);
    take(`${project}/secrets/penstock-anthropic-api-key`, 'roles/secretmanager.secretAccessor', /-attempts@/);
    const misses = (role: string, who: string) => [
      'wrong',
      `roles/${role} is missing for ${who}; apply the Terraform configuration`,
    ];
    expect(await lacks()).toEqual({
      'grants on the project': misses('datastore.user', 'sweep'),
      'grants on topic run-accepted': misses('pubsub.publisher', 'api, intake'),
      'grants on topic dead-letter': misses('pubsub.publisher', "Pub/Sub's own agent"),
      'grants on subscription integration': misses('pubsub.subscriber', "Pub/Sub's own agent"),
      'grants on service webhooks': misses('run.invoker', 'GitHub (allUsers)'),
      'grants on service integration': misses('run.invoker', 'Pub/Sub as caller'),
      [`grants on bucket ${PROJECT}-data`]: misses('storage.objectUser', 'stages'),
      'grants on secret penstock-anthropic-api-key': misses('secretmanager.secretAccessor', 'attempts'),
    });
  });

  it('is no grant that the project has for all that is in it', async () => {
    const project = `projects/${PROJECT}`;
    const topic = google.grants[`${project}/topics/run-accepted`] ?? {};
    google.grants[project] = { ...google.grants[project], ...topic };
    delete google.grants[`${project}/topics/run-accepted`];
    expect(await lacks()).toEqual({});
  });

  it('is everything in an empty project, and each line says so once', async () => {
    for (const name of Object.keys(google.held)) delete google.held[name];
    const found = await lacks();
    expect(new Set(Object.values(found).map(([state]) => state))).toEqual(new Set(['missing']));
    expect(found['jobs']).toEqual(['missing', 'no function says which; apply the Terraform configuration']);
  });

  it('is not guessed at where the caller lacks a role, which is named', async () => {
    google.deny('pubsub.topics.list');
    google.deny('secretmanager.versions.get');
    const grant = (role: string) => [
      'forbidden',
      `gcloud projects add-iam-policy-binding ${PROJECT} --member=user:YOU --role=${role}`,
    ];
    expect(await lacks()).toEqual({
      topics: grant('roles/pubsub.viewer'),
      'secret penstock-anthropic-api-key/3': grant('roles/secretmanager.viewer'),
    });
  });

  it('is an API that is off, where Google refuses for that', async () => {
    const message = `Cloud Pub/Sub API has not been used in project ${PROJECT} before or it is disabled.`;
    google.failNext('topics.list', { as: 403, message });
    expect(await lacks()).toEqual({
      topics: ['missing', `gcloud services enable pubsub.googleapis.com --project ${PROJECT}`],
    });
  });

  it('is not known of what does not answer in time', async () => {
    google.failNext('databases.get', { as: { lateMs: 2_000 } });
    const found = await lacks(400);
    expect(found['database (default)']).toEqual(['unknown', expect.stringContaining('no answer in 400 ms')]);
  });
});

describe('what the doctor looks for', () => {
  it('are the grants that Terraform makes', () => {
    interface Settings {
      publishes?: string[] | { text: string };
      bucket?: boolean;
    }
    const all = readLocal(terraform('functions.tf'), 'all_topics') as string[];
    const settings = readLocal(terraform('functions.tf'), 'function_settings') as Record<string, Settings>;
    const granted = Object.entries(settings).map(([name, { publishes = [], bucket = true }]) => [
      name,
      { publishes: Array.isArray(publishes) ? publishes : all, bucket },
    ]);
    expect(FUNCTION_GRANTS).toEqual(Object.fromEntries(granted));
  });

  it('are the APIs that Terraform enables in every project', () => {
    const always = /toset\(concat\(\s*\[([^\]]+)\]/.exec(readFileSync(terraform('apis.tf'), 'utf8'))?.[1];
    const names = [...(always ?? '').matchAll(/"([a-z.]+)"/g)].map(([, name = '']) => name);
    expect(REQUIRED_SERVICES.toSorted()).toEqual(names.toSorted());
  });

  it('are the functions that Terraform makes', () => {
    const settings = readLocal(terraform('functions.tf'), 'function_settings') as object;
    expect(REQUIRED_FUNCTIONS).toEqual(Object.keys(settings).toSorted());
  });
});
