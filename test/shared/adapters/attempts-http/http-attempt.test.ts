import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHttpAttempt } from '../../../../shared/adapters/attempts-http/http-attempt.ts';
import type { Attempt } from '../../../../shared/ports/attempt.ts';
import { startAttemptsStandIn, type AttemptsStandIn } from '../../../support/attempts-stand-in.ts';
import { realClock } from '../../../support/real-clock.ts';
import { briefFor } from '../../../support/work/memory-attempt.ts';
import { createQueuedModel } from '../../../support/work/queued-model.ts';

const instantClock = { ...realClock, sleep: () => Promise.resolve() };
let platform: AttemptsStandIn;
let access: { baseUrl: string; authToken: string } | undefined;

beforeEach(async () => {
  platform = await startAttemptsStandIn({ modelUrl: 'http://127.0.0.1:9' });
  platform.offer(briefFor(Date.now()));
});
afterEach(() => platform.stop());

function claim(ticket = platform.ticket, fetch = globalThis.fetch): Promise<Attempt> {
  return createHttpAttempt({
    fetch,
    url: `${platform.url}/`,
    ticket,
    clock: instantClock,
    createModel: (given) => ((access = given), createQueuedModel([])),
  });
}

describe('createHttpAttempt', () => {
  it('trades the ticket for a brief, a token and a model at the platform', async () => {
    const attempt = await claim();
    expect(attempt.brief).toMatchObject({ task: 'api', generation: 1 });
    expect(access?.baseUrl).toBe(`${platform.url}/internal/attempts/model`);
    await expect(attempt.renew()).resolves.toEqual({ answer: 'continue', messages: [] });
  });

  it('throws stale when the ticket was used, and when the claim is gone', async () => {
    const attempt = await claim();
    await expect(claim()).rejects.toMatchObject({ code: 'stale' });
    platform.lose();
    await expect(attempt.renew()).rejects.toMatchObject({ code: 'stale' });
    await expect(attempt.finish({ outcome: 'succeeded', summary: 'x' })).rejects.toMatchObject({
      code: 'stale',
    });
  });

  it('moves bytes by URL without its token', async () => {
    const attempt = await claim();
    const { key, url } = await attempt.propose({ kind: 'upload', purpose: 'checkpoint', n: 3 });
    const bytes = Buffer.from([0, 255, 10]);
    await attempt.upload(url ?? '', bytes);
    expect(Buffer.from(platform.get(key) ?? [])).toEqual(bytes);
    expect(Buffer.from(await attempt.fetch(url ?? ''))).toEqual(bytes);
    await expect(attempt.fetch(platform.blobUrl('nothing'))).rejects.toMatchObject({ code: 'not_found' });
  });

  it('tries again what may pass, and gives up after four tries', async () => {
    const attempt = await claim();
    platform.failNext('/renew', 503, 3);
    await expect(attempt.renew()).resolves.toMatchObject({ answer: 'continue' });
    platform.failNext('/renew', 503, 4);
    await expect(attempt.renew()).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
    platform.failNext('/renew', 400, 1);
    await expect(attempt.renew()).rejects.toMatchObject({ code: 'invalid', retry: 'never' });
    expect(platform.calls.filter((path) => path.endsWith('/renew'))).toHaveLength(4 + 4 + 1);
  });

  it.each([
    ['a page', '<html><title>401 Unauthorized</title></html>'],
    ['nothing', ''],
  ])('has not lost its claim where Cloud Run answers 401 for the platform with %s', async (_, text) => {
    let refusals = 0;
    const attempt = await claim(platform.ticket, async (input, init) => {
      if (refusals === 0) return fetch(input, init);
      refusals -= 1;
      return new Response(text, { status: 401, headers: { 'content-type': 'text/html' } });
    });
    refusals = 3;
    await expect(attempt.renew()).resolves.toMatchObject({ answer: 'continue' });
    refusals = 4;
    await expect(attempt.renew()).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });

  it('has lost its claim where the platform knows no such token', async () => {
    const attempt = await claim();
    platform.failNext('/renew', 401, 1);
    await expect(attempt.renew()).rejects.toMatchObject({ code: 'stale', retry: 'never' });
  });

  it.each([
    ['an answer', '/renew'],
    ['a file', '/blobs/'],
  ])('tries again %s that broke off in the middle', async (_, path) => {
    let broken = 0;
    const attempt = await claim(platform.ticket, async (input, init) => {
      const response = await fetch(input, init);
      if (broken >= 2 || !(typeof input === 'string' && input.includes(path))) return response;
      broken += 1;
      return cutShort(response);
    });
    platform.put('file', 'the whole file');
    await expect(attempt.renew()).resolves.toEqual({ answer: 'continue', messages: [] });
    expect(Buffer.from(await attempt.fetch(platform.blobUrl('file'))).toString()).toBe('the whole file');
    expect(broken).toBe(2);
  });

  it('says what the platform refused, and why', async () => {
    const attempt = await claim();
    await expect(attempt.propose({ kind: 'change-set', n: 0 })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^POST \/internal\/attempts\/propose answered 422: /),
    });
  });

  it('is unavailable where nobody answers', async () => {
    await platform.stop();
    await expect(claim()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

/** The same answer over a line that is cut after its first byte. */
async function cutShort(response: Response): Promise<Response> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes.subarray(0, 1)),
    // Asked for once the first byte was read.
    pull: (controller) => controller.error(new TypeError('terminated')),
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
