import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFirestoreClient } from '../../../../shared/adapters/google/firestore-client.ts';
import { createFirestoreStore } from '../../../../shared/adapters/google/firestore-store.ts';
import { createPubsubClient } from '../../../../shared/adapters/google/pubsub-client.ts';
import { createPubsubQueue } from '../../../../shared/adapters/google/pubsub-queue.ts';

/** Where the libraries would find somebody's own. */
const HIDDEN = {
  HOME: '/nonexistent',
  CLOUDSDK_CONFIG: '/nonexistent',
  GOOGLE_APPLICATION_CREDENTIALS: undefined,
  FIRESTORE_EMULATOR_HOST: undefined,
  PUBSUB_EMULATOR_HOST: undefined,
  METADATA_SERVER_DETECTION: 'none',
};

describe('without credentials', () => {
  const before = Object.fromEntries(Object.keys(HIDDEN).map((name) => [name, process.env[name]]));
  beforeAll(() => assign(HIDDEN));
  afterAll(() => assign(before));

  it('Firestore says how to get some, each time', async () => {
    const store = createFirestoreStore({ client: createFirestoreClient({ projectId: 'p' }) });
    for (const call of [
      () => store.get({ collection: 'c', id: 'a' }),
      () => store.create({ collection: 'c', id: 'a' }, {}),
    ]) {
      await expect(call()).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await expect(call()).rejects.toThrow(/c\/a: .*gcloud auth application-default login/);
    }
    await store.close();
  });

  it('Pub/Sub says how to get some, each time', async () => {
    const queue = createPubsubQueue({ pubsub: createPubsubClient({ projectId: 'p' }) });
    for (let turn = 0; turn < 2; turn += 1) {
      const refused = queue.publish('run-accepted', {});
      await expect(refused).rejects.toMatchObject({ code: 'config', retry: 'never' });
      await expect(refused).rejects.toThrow(/run-accepted: .*gcloud auth application-default login/);
    }
    await queue.close();
  });
});

function assign(variables: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
