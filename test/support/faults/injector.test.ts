import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault, MessageFault, Side } from './fault.ts';
import { createInjector, firedFaults, readCalls } from './injector.ts';

let folder: string;
let sent: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-injector-'));
  sent = [];
});
afterEach(() => rm(folder, { recursive: true }));

const at = (call: string, nth = 1) => ({ process: 'host', call, nth });
const send = (text: string) => async () => {
  await Promise.resolve();
  sent.push(text);
};

async function published(how: MessageFault, texts: string[]): Promise<string[]> {
  const faults: Fault[] = [{ kind: 'message', how, ...at('queue.publish') }];
  const injector = createInjector({ folder, faults }, 'host');
  for (const text of texts) await injector.around('queue.publish', send(text));
  await injector.released();
  expect(firedFaults({ folder, faults })).toEqual(faults);
  return sent;
}

describe('the injector', () => {
  it('loses, doubles, delays and reorders the message that it is told to', async () => {
    expect(await published('drop', ['a', 'b'])).toEqual(['b']);
    await rm(join(folder, 'fired-0'));
    sent = [];
    expect(await published('twice', ['a', 'b'])).toEqual(['a', 'a', 'b']);
    await rm(join(folder, 'fired-0'));
    sent = [];
    expect(await published('swap', ['a', 'b'])).toEqual(['b', 'a']);
  });

  it('holds a delayed message back, and says so until it has gone out', async () => {
    expect(await published('delay', ['a', 'b'])).toEqual(['b', 'a']);
  });

  it.each([
    ['before', []],
    ['after', ['a']],
  ] as [Side, string[]][])('fails a call as unavailable %s it takes effect', async (when, effects) => {
    const faults: Fault[] = [{ kind: 'fail', when, ...at('store.commit', 2) }];
    const { around } = createInjector({ folder, faults }, 'host');
    await around('store.commit', () => Promise.resolve());
    await expect(around('store.commit', send('a'))).rejects.toMatchObject({
      code: 'unavailable',
      retry: 'later',
    });
    expect(sent).toEqual(effects);
    await around('store.commit', () => Promise.resolve());
    expect(readCalls(folder).map(({ nth }) => nth)).toEqual([1, 2, 3]);
  });

  it('sets the clock ahead for a while', async () => {
    const injector = createInjector({ folder, faults: [{ kind: 'clock', ...at('store.query') }] }, 'host');
    expect(injector.aheadMs()).toBe(0);
    await injector.around('store.query', () => Promise.resolve());
    expect(injector.aheadMs()).toBeGreaterThan(15_000);
  });

  it('does nothing to other processes, and each fault once', async () => {
    const faults: Fault[] = [{ kind: 'message', how: 'drop', ...at('queue.publish') }];
    await createInjector({ folder, faults }, 'sweep').around('queue.publish', send('other'));
    await createInjector({ folder, faults }, 'host').around('queue.publish', send('first life'));
    await createInjector({ folder, faults }, 'host').around('queue.publish', send('second life'));
    expect(sent).toEqual(['other', 'second life']);
  });
});
