import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createMessagesGateway } from '../../../../shared/adapters/anthropic/messages-gateway.ts';
import { portOf } from '../../../support/port-of.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function sendTo(answer: RequestListener, timeoutMs = 5_000): Promise<unknown> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  const gateway = createMessagesGateway({ baseUrl: `http://127.0.0.1:${portOf(server)}`, apiKey: 'key' });
  return gateway.send({ model: 'm' }, new Headers(), AbortSignal.timeout(timeoutMs));
}

describe('the gateway to the Messages API', () => {
  it('says of a call that got no answer in time that it may have counted', async () => {
    await expect(sendTo(() => undefined, 50)).rejects.toMatchObject({
      code: 'unavailable',
      retry: 'later',
      mayHaveCounted: true,
    });
  });

  it('does not say so of a call that the provider did not take', async () => {
    await expect(sendTo((request) => void request.destroy())).rejects.toMatchObject({
      code: 'unavailable',
      retry: 'later',
      mayHaveCounted: false,
    });
  });
});
