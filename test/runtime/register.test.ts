import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decomposition } from '../../functions/decomposition/decomposition.ts';
import { sweep } from '../../functions/sweep/sweep.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Runtime } from '../../shared/runtime/functions.ts';
import { registerHttp, registerMessage } from '../../shared/runtime/register.ts';
import { type Door, type FunctionRuntime, openHttpDoor, openRuntime, serve } from './function-door.ts';
import { pushMessage } from './push-message.ts';

const MISSING = 'GOOGLE_CLOUD_PROJECT is not set: the id of your Google Cloud project';

describe('A function whose runtime cannot be composed at first', () => {
  let runtime: FunctionRuntime;
  let door: Door;
  /** How often it was composed; the first time in vain. */
  let compositions: number;
  let written: string;
  beforeEach(async () => {
    runtime = await openRuntime();
    compositions = 0;
    written = '';
    // The framework prints what a function throws.
    jest.spyOn(console, 'error').mockImplementation((text) => (written += String(text)));
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await door.close();
    await runtime.remove();
  });

  const compose = (): Promise<Runtime> => {
    compositions += 1;
    return compositions === 1
      ? Promise.reject(new PenstockError('config', MISSING))
      : Promise.resolve(runtime);
  };

  it('tells who asks, and composes it again for the next request, once for all that wait', async () => {
    registerHttp('sweep', () => Promise.resolve(sweep), compose);
    door = await serve('sweep');
    const ask = () => fetch(`${door.url}/internal/sweep`, { method: 'POST' });
    const refused = await ask();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(await refused.json()).toMatchObject({ code: 'config', detail: MISSING });
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(compositions).toBe(2);
  });

  it('does not tell the public that it should know better, or come again', async () => {
    const missing = new PenstockError('unauthenticated', 'there are no Google credentials here');
    const load = () => Promise.resolve({ ...sweep, name: 'api' });
    registerHttp('api', load, () => Promise.reject(missing));
    door = await serve('api');
    const refused = await fetch(`${door.url}/api/runs`);
    expect(refused.status).toBe(500);
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(await refused.json()).toMatchObject({ status: 500, code: 'config', detail: missing.message });
  });

  it('acknowledges no message until it is composed', async () => {
    registerMessage('decomposition', () => Promise.resolve(decomposition), compose);
    door = await serve('decomposition');
    const push = () => pushMessage(door.url, 'run-accepted', { v: 1, tenant: 'local', run: 'gone1234' });
    expect(await push()).toBe(500);
    expect(written).toContain(MISSING);
    expect(await Promise.all([push(), push()])).toEqual([204, 204]);
    expect(compositions).toBe(2);
  });
});

describe('A function that nobody has called', () => {
  it('has loaded neither its handler nor its runtime', async () => {
    const load = jest.fn(() => Promise.resolve(sweep));
    const compose = jest.fn(() => Promise.reject(new Error('nobody asked')));
    registerHttp('sweep', load, compose);
    const door = await serve('sweep');
    await door.close();
    expect([load, compose].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
  });
});

describe('A body that the framework cannot read', () => {
  let runtime: FunctionRuntime;
  let door: Door;
  beforeEach(async () => {
    runtime = await openRuntime();
    door = await openHttpDoor(sweep, runtime);
  });
  afterEach(async () => {
    await door.close();
    await runtime.remove();
  });

  it.each([
    ['is not JSON', { 'content-type': 'application/json' }, 400, 'invalid', /not JSON/],
    [
      'is in no charset that it knows',
      { 'content-type': 'application/json; charset=x' },
      415,
      'http',
      /Unsupported/,
    ],
    ['is in no encoding that it knows', { 'content-encoding': 'x' }, 415, 'http', /Unsupported/],
  ])(
    'is answered with a problem, and with nothing of its inside, where it %s',
    async (_, headers, status, code, detail) => {
      for (const times of [1, 2]) {
        const response = await fetch(`${door.url}/internal/sweep`, {
          method: 'POST',
          headers,
          body: `{${times}`,
        });
        expect(response.status).toBe(status);
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        const text = await response.text();
        expect(JSON.parse(text)).toMatchObject({ code, status, detail: expect.stringMatching(detail) });
        expect(text).not.toContain('node_modules');
      }
    },
  );
});
