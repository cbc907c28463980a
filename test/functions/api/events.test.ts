import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type RunEvent, runEvent } from '../../../shared/messages/run-view.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { claim, finish, startRun, work, write } from './drive-run.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

interface EventPage {
  items: RunEvent[];
  next?: string;
}

/** The events of a stream as they come. */
async function* eventsOf(answer: Response): AsyncGenerator<RunEvent> {
  let text = '';
  for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data === undefined) continue;
      const event = runEvent.parse(JSON.parse(data));
      expect(frame).toContain(`event: ${event.type}`);
      expect(frame).toContain(`id: ${event.seq}`);
      yield event;
    }
  }
}

async function all(answer: Response): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of eventsOf(answer)) events.push(event);
  return events;
}

describe('the event stream of a run', () => {
  it('tells what has happened, then what happens, and ends with the run', async () => {
    const { ports } = world.runtime;
    const run = await startRun(ports);
    const stream = eventsOf(await world.app.request(`/api/runs/${run.id}/events`));
    const told: RunEvent[] = [];
    for await (const event of stream) {
      told.push(event);
      if (event.task === 'write' && event.state === 'pending') {
        void claim(ports, run, 'write').then((fence) => finish(ports, run, fence));
      }
    }
    expect(told.map(({ type, task, state }) => `${type} ${task ?? 'run'} ${state}`)).toEqual([
      'requirement_submitted run accepted',
      'status_update run planning',
      'status_update run executing',
      'status_update write pending',
      'status_update write running',
      'task_completed write succeeded',
      'run_finished run succeeded',
    ]);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, index) => index + 1));
  });

  it('goes on behind Last-Event-ID, and tells an EventSource of an ended run to stay away', async () => {
    const run = await startRun(world.runtime.ports);
    await work(world.runtime.ports, run, 'write');
    const path = `/api/runs/${run.id}/events`;
    const whole = await all(await world.app.request(path));
    const rest = await all(await world.app.request(path, { headers: { 'last-event-id': '3' } }));
    expect(rest).toEqual(whole.slice(3));
    expect(rest.length).toBeGreaterThan(0);
    const over = await world.app.request(path, { headers: { 'last-event-id': String(whole.length) } });
    expect(over.status).toBe(204);
    expect((await world.app.request(path, { headers: { 'last-event-id': 'x' } })).status).toBe(400);
  });

  it('stops its watches when the reader goes away', async () => {
    const { store } = world.runtime.ports;
    const watch = store.watch.bind(store);
    const open = new Set<symbol>();
    store.watch = (ref, onChange) => {
      const name = Symbol(ref.id);
      open.add(name);
      const stop = watch(ref, onChange);
      return () => {
        open.delete(name);
        stop();
      };
    };
    const run = await startRun(world.runtime.ports);
    const answer = await world.app.request(`/api/runs/${run.id}/events`);
    const reader = answer.body?.getReader();
    await reader?.read();
    expect(open.size).toBe(2);
    await reader?.cancel();
    store.watch = watch;
    for (let tries = 0; open.size > 0 && tries < 100; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(open.size).toBe(0);
  });
});

describe('the long poll of a run', () => {
  it('answers at once with what is there, page by page, each event once', async () => {
    const run = await startRun(world.runtime.ports);
    await work(world.runtime.ports, run, 'write');
    const whole = await all(await world.app.request(`/api/runs/${run.id}/events`));
    const polled: RunEvent[] = [];
    let next: string | undefined = '0';
    while (next !== undefined) {
      const page: EventPage = await world.read(`/api/runs/${run.id}/events?wait=0&limit=3&cursor=${next}`);
      polled.push(...page.items);
      ({ next } = page);
    }
    expect(polled).toEqual(whole);
  });

  it('waits until something happens', async () => {
    const { ports } = world.runtime;
    const run = await startRun(ports);
    const { next } = await world.read<EventPage>(`/api/runs/${run.id}/events?wait=0`);
    const waiting = world.read<EventPage>(`/api/runs/${run.id}/events?wait=20&cursor=${next}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await claim(ports, run, 'write');
    const { items } = await waiting;
    expect(items[0]).toMatchObject({ task: 'write' });
  });

  it('answers with nothing when nothing happens, and says where to go on', async () => {
    const run = await startRun(world.runtime.ports);
    const { next } = await world.read<EventPage>(`/api/runs/${run.id}/events?wait=0`);
    expect(await world.read(`/api/runs/${run.id}/events?wait=0.3&cursor=${next}`)).toEqual({
      items: [],
      next,
    });
    expect((await world.app.request(`/api/runs/${run.id}/events?wait=61`)).status).toBe(400);
  });
});

describe('the log of an attempt', () => {
  const note = (text: string) => ({ kind: 'note' as const, text });

  it('is streamed as it is written, until the attempt has ended', async () => {
    const { ports } = world.runtime;
    const run = await startRun(ports);
    const fence = await claim(ports, run, 'write', { lines: [note('first words')] });
    const path = `/api/runs/${run.id}/tasks/write/attempts/1/log`;
    const now = await (await world.app.request(path)).text();
    expect(now).toMatch(/^\d\d:\d\d:\d\d {2}· first words\n$/);
    const reader = (await world.app.request(`${path}?follow`)).body
      ?.pipeThrough(new TextDecoderStream())
      .getReader();
    expect((await reader?.read())?.value).toBe(now);
    await write(ports, fence, 1, [note('second words')]);
    expect((await reader?.read())?.value).toContain('second words');
    await write(ports, fence, 2, [note('last words')]);
    await finish(ports, run, fence);
    expect((await reader?.read())?.value).toContain('last words');
    expect((await reader?.read())?.done).toBe(true);
  });

  it('is also there as the transcript itself, line by line as it was stored', async () => {
    const { ports } = world.runtime;
    const run = await startRun(ports);
    await work(ports, run, 'write', { lines: [note('one'), note('two')] });
    const answer = await world.app.request(`/api/runs/${run.id}/tasks/write/attempts/1/transcript`);
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text()).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(['one', 'two']);
  });
});
