import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createMessagesGateway } from '../../../../shared/adapters/anthropic/messages-gateway.ts';
import type { MessagesGateway } from '../../../../shared/ports/messages-gateway.ts';
import { portOf } from '../../../support/port-of.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function gatewayTo(answer: RequestListener): Promise<MessagesGateway> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return createMessagesGateway({ baseUrl: `http://127.0.0.1:${portOf(server)}`, apiKey: 'key' });
}

async function sendTo(answer: RequestListener, timeoutMs = 5_000): Promise<unknown> {
  const gateway = await gatewayTo(answer);
  return gateway.send({ model: 'm' }, new Headers(), AbortSignal.timeout(timeoutMs));
}

describe('the gateway to the Messages API', () => {
  it.each([
    [
      'claude-code-20250219,extended-cache-ttl-2025-04-11, interleaved-thinking-2025-05-14,advisor-tool-2026-03-01,new-2030-01-01',
      'claude-code-20250219,interleaved-thinking-2025-05-14',
    ],
    ['fast-mode-2026-02-01', undefined],
    ['context-1m-2025-08-07,mcp-client-2025-11-20', undefined],
  ])('passes on only switches that leave the price alone: of %s %s', async (asked, passed) => {
    const seen: unknown[] = [];
    const gateway = await gatewayTo(({ headers }, response) => {
      seen.push(headers['anthropic-beta']);
      response.end('{}');
    });
    const headers = new Headers({ 'anthropic-beta': asked });
    await gateway.send({ model: 'm' }, headers, AbortSignal.timeout(5_000));
    expect(seen).toEqual([passed]);
  });

  it('has nothing counted for which the provider would have to fetch something', async () => {
    let asked = 0;
    const gateway = await gatewayTo((_, response) => {
      asked += 1;
      response.end('{"input_tokens":7}');
    });
    const source = { type: 'url', url: 'https://x.test/' };
    const messages = [{ role: 'user', content: [{ type: 'image', source }] }];
    await expect(gateway.countTokens({ model: 'm', messages })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(
        /^no tokens were counted: field messages\.0\.content\.0\.source\.type: /,
      ),
    });
    expect(asked).toBe(0);
    // What is not counted is not asked about either.
    expect(await gateway.countTokens({ model: 'm', messages: [], service_tier: 'auto' })).toBe(7);
  });

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
