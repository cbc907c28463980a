import { afterEach, describe, expect, it } from '@jest/globals';
import { createPubsubClient } from '../../../../shared/adapters/google/pubsub-client.ts';
import { createPubsubQueue } from '../../../../shared/adapters/google/pubsub-queue.ts';
import type { Repeat } from '../../../../shared/adapters/google/repeat-request.ts';
import type { Queue } from '../../../../shared/ports/queue.ts';
import {
  type GrpcAnswer,
  type GrpcStandIn,
  startGrpcStandIn,
} from '../../../support/google/start-grpc-stand-in.ts';

describe('Pub/Sub that refuses', () => {
  const open: { standIn: GrpcStandIn; queue: Queue }[] = [];
  afterEach(async () => {
    for (const { standIn, queue } of open.splice(0)) {
      await queue.close();
      standIn.stop();
    }
  });

  async function start(answer: GrpcAnswer, timeoutMs = 5_000) {
    const standIn = await startGrpcStandIn(() => answer);
    const repeats: Repeat[] = [];
    const queue = createPubsubQueue({
      pubsub: createPubsubClient({ projectId: 'p', emulatorHost: standIn.host }),
      timeoutMs,
      ifUnreachable: 'start the emulator that PUBSUB_EMULATOR_HOST names, or unset it',
      onRepeat: (repeat) => repeats.push(repeat),
    });
    open.push({ standIn, queue });
    return { queue, repeats, standIn };
  }

  it('names the role to grant after one request that is not allowed', async () => {
    const { queue, standIn } = await start({
      code: 7,
      details: 'User not authorized to perform this action.',
    });
    const refused = queue.publish('run-accepted', {});
    await expect(refused).rejects.toMatchObject({ code: 'config', retry: 'never' });
    await expect(refused).rejects.toThrow(
      /run-accepted: .*; grant roles\/pubsub\.publisher to the service account/,
    );
    expect(standIn.requests).toHaveLength(1);
  });

  it.each([
    ['a missing topic', 5, 'config', /GOOGLE_CLOUD_PROJECT/],
    ['no valid credentials', 16, 'config', /gcloud auth/],
    ['a spent quota', 8, 'rate_limited', /tried again/],
  ] as const)('says after one request what to do about %s', async (_what, code, says, next) => {
    const { queue, standIn } = await start({ code, details: 'Refused.' });
    const refused = queue.publish('run-accepted', {});
    await expect(refused).rejects.toMatchObject({ code: says });
    await expect(refused).rejects.toThrow(next);
    expect(standIn.requests).toHaveLength(1);
  });

  it('publishes four times where the server is not there for a moment, and tells of each repetition', async () => {
    const { queue, repeats, standIn } = await start({ code: 14, details: 'down' });
    const refused = queue.publish('run-accepted', {});
    await expect(refused).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    await expect(refused).rejects.toThrow(/PUBSUB_EMULATOR_HOST/);
    expect(standIn.requests).toHaveLength(4);
    expect(repeats).toEqual(
      Array.from({ length: 3 }, () => ({ what: 'publish on topic run-accepted', code: 14 })),
    );
  });

  it('gives up at its deadline where no answer comes', async () => {
    const { queue, standIn } = await start('hang', 600);
    const late = queue.publish('run-accepted', {});
    await expect(late).rejects.toMatchObject({ code: 'timeout', retry: 'later' });
    await expect(late).rejects.toThrow(/no answer in 600 ms; .*PUBSUB_EMULATOR_HOST/);
    await standIn.requests[0]?.cancelled;
    expect(standIn.requests).toHaveLength(1);
  });
});
