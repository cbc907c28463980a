import { createHmac, randomUUID } from 'node:crypto';

const TIMEOUT_MS = 10_000;

/** One attempt to deliver a webhook, in the shape of `GET /app/hook/deliveries/{id}`. */
export interface Delivery {
  id: number;
  /** The same for all attempts of one event. */
  guid: string;
  event: string;
  action: string | null;
  delivered_at: string;
  redelivery: boolean;
  /** Seconds. */
  duration: number;
  /** `OK`, or what went wrong. */
  status: string;
  /** 0: no answer. */
  status_code: number;
  installation_id: number | null;
  repository_id: number | null;
  url: string;
  request: { headers: Record<string, string>; payload: Record<string, unknown> };
  response: { headers: Record<string, string>; payload: string };
}

/** Sends what GitHub would send, once; a failed delivery is only recorded, as on GitHub. */
export interface WebhookSender {
  send(event: string, payload: Record<string, unknown> | Promise<Record<string, unknown>>): void;
  redeliver(id: number): boolean;
  deliveries(): Delivery[];
  setUrl(url: string | undefined): void;
  /** Resolves when every delivery so far has ended. */
  settled(): Promise<void>;
}

export function createWebhookSender(
  app: { id: number; webhookSecret: string },
  firstUrl?: string,
): WebhookSender {
  const deliveries: Delivery[] = [];
  const underway = new Set<Promise<void>>();
  let url = firstUrl;
  let nextId = 1;

  const track = (work: Promise<void>): void => {
    underway.add(work);
    void work.finally(() => underway.delete(work));
  };
  const deliver = async (
    event: string,
    payload: Record<string, unknown>,
    guid: string,
    redelivery: boolean,
  ): Promise<void> => {
    if (url === undefined) return;
    const body = JSON.stringify(payload);
    const request = { headers: headersOf(app, event, guid, body), payload };
    const delivery = {
      ...describe(nextId++, event, payload),
      guid,
      redelivery,
      url,
      request,
      ...NOT_ANSWERED,
    };
    deliveries.push(delivery);
    Object.assign(delivery, await post(url, request.headers, body));
  };
  return {
    send: (event, payload) =>
      track(Promise.resolve(payload).then((ready) => deliver(event, ready, randomUUID(), false))),
    redeliver: (id) => {
      const first = deliveries.find((delivery) => delivery.id === id);
      if (first !== undefined) track(deliver(first.event, first.request.payload, first.guid, true));
      return first !== undefined;
    },
    deliveries: () => [...deliveries],
    setUrl: (next) => {
      url = next;
    },
    settled: async () => {
      while (underway.size > 0) await Promise.allSettled(underway);
    },
  };
}

const NOT_ANSWERED = {
  status: 'pending',
  status_code: 0,
  duration: 0,
  response: { headers: {} as Record<string, string>, payload: '' },
};

function describe(id: number, event: string, payload: Record<string, unknown>) {
  const { action, installation, repository } = payload as {
    action?: string;
    installation?: { id: number };
    repository?: { id: number };
  };
  return {
    id,
    event,
    action: action ?? null,
    delivered_at: new Date().toISOString(),
    installation_id: installation?.id ?? null,
    repository_id: repository?.id ?? null,
  };
}

function headersOf(
  app: { id: number; webhookSecret: string },
  event: string,
  guid: string,
  body: string,
): Record<string, string> {
  const sign = (algorithm: string): string =>
    createHmac(algorithm, app.webhookSecret).update(body).digest('hex');
  return {
    Accept: '*/*',
    'Content-Type': 'application/json',
    'User-Agent': 'GitHub-Hookshot/standin',
    'X-GitHub-Delivery': guid,
    'X-GitHub-Event': event,
    'X-GitHub-Hook-ID': '1',
    'X-GitHub-Hook-Installation-Target-ID': String(app.id),
    'X-GitHub-Hook-Installation-Target-Type': 'integration',
    'X-Hub-Signature': `sha1=${sign('sha1')}`,
    'X-Hub-Signature-256': `sha256=${sign('sha256')}`,
  };
}

async function post(
  url: string,
  headers: Record<string, string>,
  body: string,
): Promise<Pick<Delivery, 'status' | 'status_code' | 'duration' | 'response'>> {
  const start = performance.now();
  const duration = (): number => Math.round(performance.now() - start) / 1_000;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const payload = await answer.text();
    const response = { headers: Object.fromEntries(answer.headers), payload };
    return {
      status: answer.ok ? 'OK' : `Invalid HTTP Response: ${answer.status}`,
      status_code: answer.status,
      duration: duration(),
      response,
    };
  } catch (error) {
    const status =
      error instanceof Error && error.name === 'TimeoutError' ? 'timed out' : 'failed to connect to host';
    return { ...NOT_ANSWERED, status, duration: duration() };
  }
}
