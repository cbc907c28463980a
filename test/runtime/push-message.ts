import type { Topic } from '../../shared/messages/topics.ts';

export interface PushOptions {
  messageId?: string;
  attributes?: Record<string, string>;
  /** The body of the message as it is. @default the message as JSON */
  raw?: string;
}

/** Posts a message as a Pub/Sub push subscription does; gives the HTTP status that decides whether it comes again. */
export async function pushMessage(
  url: string,
  topic: Topic,
  message: object,
  options: PushOptions = {},
): Promise<number> {
  const { messageId = 'm-1', attributes = {}, raw = JSON.stringify(message) } = options;
  const response = await fetch(`${url}/projects/test/topics/${topic}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      subscription: `projects/test/subscriptions/${topic}`,
      message: {
        data: Buffer.from(raw).toString('base64'),
        messageId,
        attributes,
        publishTime: '2026-11-01T10:00:00.000Z',
      },
    }),
  });
  await response.text();
  return response.status;
}

/** The same as a structured CloudEvent, as Eventarc sends it. `data` replaces what stands in the event. */
export async function sendCloudEvent(
  url: string,
  topic: Topic,
  message: object,
  data?: unknown,
): Promise<number> {
  const body = {
    message: {
      data: Buffer.from(JSON.stringify(message)).toString('base64'),
      messageId: 'm-2',
      attributes: {},
    },
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json' },
    body: JSON.stringify({
      specversion: '1.0',
      id: 'event-2',
      type: 'google.cloud.pubsub.topic.v1.messagePublished',
      source: `//pubsub.googleapis.com/projects/test/topics/${topic}`,
      datacontenttype: 'application/json',
      data: data ?? body,
    }),
  });
  await response.text();
  return response.status;
}
