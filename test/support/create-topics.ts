import { topics } from '../../shared/messages/topics.ts';
import { askPubsub } from './ask-pubsub.ts';

/** Makes every topic of the platform on the Pub/Sub emulator, as Terraform makes them in a project. */
export async function createTopics(pubsubHost: string, projectId: string): Promise<void> {
  for (const topic of Object.keys(topics))
    await askPubsub(pubsubHost, 'PUT', `${projectId}/topics/${topic}`, {});
}
