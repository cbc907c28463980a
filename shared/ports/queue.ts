/** Message attributes: short strings, never state. */
export type Attributes = Record<string, string>;

/** At least once, in no order, without delay or priority (those live in the records). */
export interface Queue {
  /** Resolves when the message is durable. `message` is a JSON object, never empty; at most 1 MiB. */
  publish(topic: string, message: object, options?: { attributes?: Attributes }): Promise<void>;
  close(): Promise<void>;
}

/** One delivery, in the shape in which a Pub/Sub push subscription hands it over. */
export interface Delivery {
  topic: string;
  subscription: string;
  messageId: string;
  /** The message as published. */
  message: object;
  attributes: Attributes;
  publishedAt: number;
  /** From 1. */
  deliveryAttempt: number;
}

/** What comes on a dead-letter topic: a message that could not be handled, and where. */
export interface DeadLetter {
  /** Absent where the platform does not say it (Pub/Sub names the subscription only). */
  topic?: string;
  subscription: string;
  /** Absent where the platform gives each copy an id of its own. */
  messageId?: string;
  /** When the message was published, where its id is not known: with its content, that tells it from others. */
  publishedAt?: string;
  message: object;
  attributes: Attributes;
  /** How often it was delivered. */
  deliveryAttempt: number;
  /** What the last delivery failed with, where it is known. */
  error?: string;
}

/** Resolves: acknowledged. Rejects: delivered again, later. */
export type Receive = (delivery: Delivery) => Promise<void>;
