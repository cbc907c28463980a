import { subscriptionOf } from '../../../shared/runtime/subscriptions.ts';
import { pushMessage } from '../../runtime/push-message.ts';
import { deliver, SECRET } from '../../runtime/signed-webhook.ts';
import type { Emulators } from '../emulators.ts';

/** What a function on the emulators needs in its environment to answer its first message. */
export function emulatorEnvironment({
  firestoreHost,
  pubsubHost,
  projectId,
}: Emulators): Record<string, string> {
  return {
    METADATA_SERVER_DETECTION: 'none',
    GOOGLE_CLOUD_PROJECT: projectId,
    FIRESTORE_EMULATOR_HOST: firestoreHost,
    PUBSUB_EMULATOR_HOST: pubsubHost,
    GITHUB_WEBHOOK_SECRET: SECRET,
    PENSTOCK_REGION: 'europe-west1',
    PENSTOCK_BUCKET: 'penstock',
    PENSTOCK_JOB: 'agent-job',
    PENSTOCK_JOB_HIGH: 'agent-job-high',
    PENSTOCK_PUBLIC_URL: 'http://127.0.0.1:8080',
    PENSTOCK_IDENTITY: 'local',
  };
}

/** For a run that is gone, in the words of every topic: each drops what it does not know. */
const HINT = { v: 1, tenant: 'local', run: 'gone1234', task: 'first', generation: 1 };
const MESSAGE = { ...HINT, subscription: 'decomposition', message: HINT, attributes: {}, deliveryAttempt: 5 };

const post = async (url: string, body: object): Promise<number> => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await response.text();
  return response.status;
};

/** A request for each HTTP function that makes it reach its store. */
const requests: Record<string, (url: string) => Promise<number>> = {
  api: async (url) => (await fetch(`${url}/health`)).status,
  attempts: (url) =>
    post(`${url}/internal/attempts/claim`, { ticket: 'a-ticket-that-nobody-ever-made-0123456789' }),
  intake: (url) => post(`${url}/api/requirements`, { requirement: 'Todos need a priority' }),
  stages: async (url) => (await fetch(`${url}/internal/runs/gone1234`)).status,
  sweep: (url) => post(`${url}/internal/sweep`, {}),
  webhooks: async (url) =>
    (await deliver(url, { event: 'ping', payload: { zen: 'Design for failure.' } })).status,
};

/** Sends a function the first thing that it could be sent; answers the HTTP status. Nothing of it makes further work. */
export function sendFirstMessage(name: string, url: string): Promise<number> {
  const request = requests[name];
  if (request !== undefined) return request(url);
  return pushMessage(url, subscriptionOf(name).topic, MESSAGE);
}
