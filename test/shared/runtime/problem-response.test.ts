import { describe, expect, it } from '@jest/globals';
import { Hono } from 'hono';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { problemResponse } from '../../../shared/runtime/problem-response.ts';
import { ROUTES } from '../../../shared/runtime/routes.ts';

const OURS = '/internal/runs/abcd1234';
const ANYBODYS = '/api/runs';

/** What is logged, and what is answered under a path where the error is thrown. */
async function answerTo(error: Error, path: string): Promise<{ response: Response; logged: string[] }> {
  const logged: string[] = [];
  const log = { error: (text: string) => void logged.push(text) };
  const app = new Hono();
  app.onError((thrown, context) => problemResponse(thrown, context, log as never));
  app.get('*', () => {
    throw error;
  });
  return { response: await app.request(path), logged };
}

describe('An error that nobody foresaw', () => {
  const unforeseen = new TypeError('x of undefined is secret');

  it('may pass, and our own are told to come again', async () => {
    const { response, logged } = await answerTo(unforeseen, OURS);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('10');
    expect(await response.json()).toMatchObject({ status: 503, code: 'unavailable' });
    expect(logged).toEqual([unforeseen.message]);
  });

  it('is our fault to everybody else', async () => {
    const { response } = await answerTo(unforeseen, ANYBODYS);
    expect(response.status).toBe(500);
    expect(response.headers.get('retry-after')).toBeNull();
    expect(await response.json()).toMatchObject({ status: 500, code: 'internal' });
  });

  it.each([OURS, ANYBODYS])('says nothing of its inside under %s', async (path) => {
    const { response } = await answerTo(unforeseen, path);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('An error that is known', () => {
  it.each([OURS, ANYBODYS])('is answered with its own status under %s', async (path) => {
    const refused = await answerTo(new PenstockError('conflict', 'another has it'), path);
    expect(refused.response.status).toBe(409);
    const wrong = await answerTo(new PenstockError('config', 'grant the role'), path);
    expect(wrong.response.status).toBe(500);
  });
});

describe('What only our own ask for', () => {
  it('is all below /internal/, and nothing else is', () => {
    const names = (isOurs: boolean) =>
      new Set(
        ROUTES.filter(({ path }) => path.startsWith('/internal/') === isOurs).map((one) => one.function),
      );
    expect(names(true)).toEqual(new Set(['attempts', 'stages', 'sweep']));
    expect(names(false)).toEqual(new Set(['webhooks', 'intake']));
  });
});
