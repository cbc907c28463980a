import { createHmac, randomUUID } from 'node:crypto';

export const SECRET = 'the secret of the App';

export interface WebhookPost {
  event: string;
  /** An object, or the exact text of the body. */
  payload: unknown;
  secret?: string;
  deliveryId?: string;
  /** Replaces the right one; `null` sends none. */
  signature?: string | null;
  traceparent?: string;
}

export interface WebhookAnswer {
  status: number;
  contentType: string;
  body: { outcome?: string; reason?: string; runId?: string; detail?: string; status?: number };
}

/** A webhook as GitHub sends it: HMAC-SHA256 over the bytes of the body. */
export async function deliver(
  url: string,
  { event, payload, secret = SECRET, deliveryId = randomUUID(), signature, traceparent }: WebhookPost,
): Promise<WebhookAnswer> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const right = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const response = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/test',
      'x-github-event': event,
      'x-github-delivery': deliveryId,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(signature === null ? {} : { 'x-hub-signature-256': signature ?? right }),
    },
    body,
  });
  const text = await response.text();
  const contentType = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    contentType,
    body: contentType.includes('json') ? (JSON.parse(text) as WebhookAnswer['body']) : {},
  };
}

type Json = Record<string, unknown>;

/** An issue that was labelled, as small as GitHub's payloads may be read. */
export function labelled(change: Json = {}): Json {
  return {
    action: 'labeled',
    label: { name: 'penstock' },
    issue: {
      number: 7,
      title: 'Todos need a priority',
      body: 'High, normal and low.',
      html_url: 'https://github.com/acme/todo/issues/7',
      labels: [{ name: 'penstock' }],
    },
    repository: { full_name: 'acme/todo' },
    installation: { id: 11 },
    sender: { login: 'dana', type: 'User' },
    ...change,
  };
}

/** A comment on the same issue. */
export function commented(body: string, change: Json = {}): Json {
  const { label: _label, ...rest } = labelled();
  return { ...rest, action: 'created', comment: { body }, ...change };
}
