import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keepMessageLetter } from '../../../shared/core/keep-message-letter.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { deadLetterView, type DeadLetterView } from '../../../shared/messages/dead-letter.ts';
import { listOf } from '../../../shared/messages/run-view.ts';
import type { Role } from '../../../shared/ports/identity.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { plannedTask, startRun, work } from './drive-run.ts';

const POST = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
const letters = listOf(deadLetterView);

async function keepMessage({ runtime }: ApiWorld, messageId: string, run?: string): Promise<void> {
  await keepMessageLetter(runtime.ports, {
    topic: 'run-accepted',
    subscription: 'decomposition',
    messageId,
    message: { v: 1, tenant: 'local', ...(run === undefined ? {} : { run }) },
    attributes: { tenant: 'local' },
    error: 'it could not be read',
  });
}

/** A run of which `build` failed for good after `write` had succeeded. */
async function failedRun({ runtime: { ports } }: ApiWorld): Promise<Run> {
  const plan = { tasks: [plannedTask('write'), plannedTask('build', 'technical_writer', ['write'])] };
  const run = await startRun(ports, { plan });
  await work(ports, run, 'write');
  await work(ports, run, 'build', {
    result: { outcome: 'failed', failure: { code: 'invalid_input', message: 'there is nothing to build' } },
  });
  return run;
}

describe('dead letters over HTTP (000-10, 000-14)', () => {
  let world: ApiWorld;
  beforeEach(async () => {
    world = await openApiWorld();
  });
  afterEach(() => world.close());

  const post = async (id: string, action: string, headers = {}) => {
    const init = { ...POST, headers: { ...POST.headers, ...headers } };
    const answer = await world.app.request(`/api/dead-letters/${id}/${action}`, init);
    const body: unknown = await answer.json();
    return { status: answer.status, letter: answer.ok ? deadLetterView.parse(body) : undefined, body };
  };
  const list = async (query = '') => letters.parse(await world.read(`/api/dead-letters${query}`));

  it('are listed by page, newest first, all or those of one state', async () => {
    for (const id of ['m-1', 'm-2', 'm-3']) {
      await keepMessage(world, id);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const all = (await list()).items as (DeadLetterView & { kind: 'message' })[];
    expect(all.map(({ messageId }) => messageId)).toEqual(['m-3', 'm-2', 'm-1']);
    const first = await list('?limit=2');
    const rest = await list(`?limit=2&cursor=${encodeURIComponent(first.next ?? '')}`);
    expect([...first.items, ...rest.items]).toEqual(all);
    await post(all[0]?.id ?? '', 'discard');
    expect((await list('?state=discarded')).items.map(({ id }) => id)).toEqual([all[0]?.id]);
    expect((await list('?state=open')).items).toHaveLength(2);
    expect((await world.app.request('/api/dead-letters?state=lost')).status).toBe(400);
  });

  it('show a task that failed for good, and replay it three times as a run that takes over what succeeded', async () => {
    const run = await failedRun(world);
    const id = `${run.id}-build-1`;
    expect(deadLetterView.parse(await world.read(`/api/dead-letters/${id}`))).toMatchObject({
      id,
      kind: 'task',
      state: 'open',
      run: run.id,
      task: 'build',
      agent: 'technical_writer',
      attempts: 1,
      code: 'invalid_input',
      class: 'user',
      error: 'there is nothing to build',
      replays: [],
    });
    const first = await post(id, 'replay', { 'idempotency-key': 'once' });
    expect(first).toMatchObject({
      status: 202,
      letter: { state: 'replayed', replays: [{ n: 1, by: 'local' }] },
    });
    const again = first.letter?.replays[0]?.run ?? '';
    expect(await world.runtime.store.get(refs.run('local', again))).toMatchObject({
      data: { stage: 'accepted', forkedFrom: { run: run.id, reuse: ['write'] } },
    });
    expect((await post(id, 'replay', { 'idempotency-key': 'once' })).body).toEqual(first.body);
    expect((await post(id, 'replay')).status).toBe(202);
    expect((await post(id, 'replay')).letter?.replays).toHaveLength(3);
    expect(await post(id, 'replay')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('was replayed 3 times') },
    });
    expect((await world.read<{ items: unknown[] }>('/api/runs')).items).toHaveLength(4);
    expect((await post(id, 'discard')).status).toBe(409);
  });

  it('are discarded, once and for all', async () => {
    const { id } = await failedRun(world);
    const first = await post(`${id}-build-1`, 'discard');
    expect(first).toMatchObject({ status: 202, letter: { state: 'discarded', discarded: { by: 'local' } } });
    expect(await post(`${id}-build-1`, 'discard')).toEqual(first);
    expect((await post(`${id}-build-1`, 'replay')).status).toBe(409);
  });

  it('refuse what cannot be replayed, and say why', async () => {
    const ended = await startRun(world.runtime.ports, { dryRun: true });
    await keepMessage(world, 'm-1', ended.id);
    const [letter] = (await list()).items;
    expect(await post(letter?.id ?? '', 'replay')).toMatchObject({
      status: 409,
      body: {
        detail: `run ${ended.id} of this message has ended succeeded and takes no messages; discard the letter, or fork the run to do a task again`,
      },
    });
    const failed = await failedRun(world);
    const before = new Set((await list()).items.map(({ id }) => id));
    await keepMessage(world, 'm-3', failed.id);
    const late = (await list()).items.find(({ id }) => !before.has(id));
    expect(await post(late?.id ?? '', 'replay')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('retry the run instead, or fork it from one of its tasks') },
    });
    const known = new Set((await list()).items.map(({ id }) => id));
    await keepMessage(world, 'm-2');
    const other = (await list()).items.find(({ id }) => !known.has(id));
    expect((await post(other?.id ?? '', 'replay')).status).toBe(422);
    expect((await list('?state=open')).items).toHaveLength(4);
  });

  it('are not found under another id, or by another tenant', async () => {
    await keepMessage(world, 'm-1');
    const [letter] = (await list()).items;
    const stranger = await openApiWorld({
      caller: { tenant: 'other', actor: 'eve', roles: ['developer', 'operator'] },
    });
    const foreign = `/api/dead-letters/${letter?.id ?? ''}`;
    expect((await stranger.app.request(foreign)).status).toBe(404);
    expect((await stranger.app.request(`${foreign}/discard`, POST)).status).toBe(404);
    await stranger.close();
    expect((await post('nope', 'replay')).status).toBe(404);
    expect((await world.app.request('/api/dead-letters/..%2fruns%2fx')).status).toBe(404);
  });

  it.each<[Role, number]>([
    ['developer', 403],
    ['operator', 202],
  ])('are read by each %s, and discarding one is answered with %i', async (role, status) => {
    const own = await openApiWorld({ caller: { tenant: 'local', actor: 'dana@example.com', roles: [role] } });
    await keepMessage(own, 'm-1');
    const { items } = letters.parse(await own.read('/api/dead-letters'));
    const path = `/api/dead-letters/${items[0]?.id ?? ''}`;
    expect((await own.app.request(path)).status).toBe(200);
    expect((await own.app.request(`${path}/replay`, POST)).status).toBe(status === 403 ? 403 : 422);
    const discarded = await own.app.request(`${path}/discard`, POST);
    expect(discarded.status).toBe(status);
    // An e-mail address stands in no record.
    if (status === 202) expect(await discarded.text()).toMatch(/"by":"person [0-9a-f]{12}"/);
    await own.close();
  });

  it('are changed by no page of another site', async () => {
    const form = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' };
    expect((await world.app.request('/api/dead-letters/x/discard', form)).status).toBe(415);
  });
});
