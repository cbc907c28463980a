import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPlatformFetch } from '../../../functions/agent-job/platform-fetch.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const trace = { current: () => TRACEPARENT };

describe('What a job asks over HTTP', () => {
  const seen: IncomingHttpHeaders[] = [];
  let refusal: { type: string } | undefined;
  const server = createServer((request, response) => {
    seen.push(request.headers);
    if (refusal !== undefined) response.writeHead(401, { 'content-type': refusal.type });
    response.end('ok');
  });
  let url: string;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it('says to the platform which trace it belongs to and who runs the job, beside the token of the attempt', async () => {
    const idToken = () => Promise.resolve('who-i-am');
    const ask = createPlatformFetch({ trace, platformUrl: url, idToken });
    await ask(`${url}/internal/attempts/renew`, {
      method: 'POST',
      headers: { authorization: 'Bearer attempt' },
    });
    expect(seen.at(-1)).toMatchObject({
      traceparent: TRACEPARENT,
      authorization: 'Bearer attempt',
      'x-serverless-authorization': 'Bearer who-i-am',
    });
  });

  it.each([
    ['text/html', 'who-i-am'],
    ['application/problem+json', undefined],
  ])('says after a 401 of type %s that the token was refused: %s', async (type, refused) => {
    const asked: (string | undefined)[] = [];
    const idToken = (given?: string) => {
      asked.push(given);
      return Promise.resolve('who-i-am');
    };
    const ask = createPlatformFetch({ trace, platformUrl: url, idToken });
    refusal = { type };
    await ask(url);
    refusal = undefined;
    await ask(url);
    expect(asked).toEqual([undefined, refused]);
  });

  it('says neither to anybody else', async () => {
    const idToken = () => Promise.resolve('who-i-am');
    const ask = createPlatformFetch({ trace, platformUrl: 'https://attempts.example', idToken });
    await ask(url);
    expect(seen.at(-1)).not.toHaveProperty('traceparent');
    expect(seen.at(-1)).not.toHaveProperty('x-serverless-authorization');
  });

  it('says nothing of itself where nobody asks', async () => {
    const ask = createPlatformFetch({ trace, platformUrl: url });
    await ask(new Request(`${url}/x`, { headers: { accept: 'text/plain' } }));
    expect(seen.at(-1)).toMatchObject({ traceparent: TRACEPARENT, accept: 'text/plain' });
    expect(seen.at(-1)).not.toHaveProperty('x-serverless-authorization');
  });
});
