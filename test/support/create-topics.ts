import { topics } from '../../shared/messages/topics.ts';

/** Makes every topic of the platform on the Pub/Sub emulator, as Terraform makes them in a project. */
export async function createTopics(pubsubHost: string, projectId: string): Promise<void> {
  for (const topic of Object.keys(topics)) {
    const url = `http://${pubsubHost}/v1/projects/${projectId}/topics/${topic}`;
    const answer = await fetch(url, { method: 'PUT' });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the Pub/Sub emulator refused the topic ${topic}: ${text}`);
  }
}
