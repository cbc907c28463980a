import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { claimTask } from '../../../shared/core/claim-task.ts';
import type { Fence } from '../../../shared/core/fence.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { reservationFor } from '../../../shared/core/models/price.ts';
import { passThrough } from '../../../shared/core/pass-through.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { MessagesGateway } from '../../../shared/ports/messages-gateway.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type Engine, startEngine, TENANT } from '../../support/engine.ts';
import { taskOf } from '../../support/records.ts';

const MODEL = 'claude-sonnet-5-5';
const body = { model: MODEL, max_tokens: 500, messages: [] };

let engine: Engine;
let fence: Fence;
beforeEach(async () => {
  engine = await startEngine();
  const task = taskOf({ lane: 'function', allotmentMicroUsd: 100_000 });
  await engine.ports.store.create(refs.task(TENANT, 'run1', 'api'), task);
  const hint = { v: 1, tenant: TENANT, run: 'run1', task: 'api', generation: 1 } as const;
  const claim = await claimTask(engine.ports, hint);
  if (claim.outcome !== 'mine') throw new Error('not claimed');
  ({ fence } = claim);
});
afterEach(() => engine.close());

describe('a model call of a job that fails before any answer', () => {
  it.each([
    [true, reservationFor(100, 500, modelById(MODEL)), 1],
    [false, 0, 0],
  ])(
    'is charged its reservation if it may have counted (%s)',
    async (mayHaveCounted, spentMicroUsd, calls) => {
      const failure = new PenstockError('unavailable', 'no answer', { retry: 'later', mayHaveCounted });
      const gateway = { countTokens: () => Promise.resolve(100), send: () => Promise.reject(failure) };
      const call = passThrough(engine.ports, gateway, fence, { body, headers: new Headers() });
      await expect(call).rejects.toBe(failure);
      const { attempts } = await engine.task('run1', 'api');
      expect(attempts[0]?.meter).toMatchObject({ spentMicroUsd, reservedMicroUsd: 0, calls });
    },
  );
});

const ephemeral = { type: 'ephemeral' };
const hour = { type: 'ephemeral', ttl: '1h' };
const tool = { name: 'read', description: 'Reads.', input_schema: { type: 'object', properties: {} } };
const said = (...content: object[]) => ({ messages: [{ role: 'user', content }] });
const fetched = { type: 'url', url: 'https://x.test/' };

describe('a model call of a job', () => {
  let sent: unknown[];
  const pass = (changes: object) => {
    sent = [];
    const gateway: MessagesGateway = {
      countTokens: (counted) => Promise.resolve(sent.push(counted) && 100),
      send: (asked) => {
        sent.push(asked);
        return Promise.resolve({ status: 200, headers: {}, body: new Blob([]).stream() });
      },
    };
    return passThrough(engine.ports, gateway, fence, {
      body: { ...body, ...changes },
      headers: new Headers(),
    });
  };

  it.each<[string, object]>([
    ['service_tier', { service_tier: 'auto' }],
    ['mcp_servers', { mcp_servers: [{ type: 'url', url: 'https://x.test/', name: 'x' }] }],
    ['container', { container: 'c1' }],
    ['speed', { speed: 'fast' }],
    ['inference_geo', { inference_geo: 'us' }],
    ['fallbacks', { fallbacks: [{ model: 'claude-opus-5-5' }] }],
    ['something_new', { something_new: true }],
    ['cache_control.ttl', { cache_control: hour }],
    ['system.0.cache_control.ttl', { system: [{ type: 'text', text: 'x', cache_control: hour }] }],
    ['tools.0.cache_control.ttl', { tools: [{ ...tool, cache_control: hour }] }],
    ['messages.0.content.1.cache_control.ttl', said({ type: 'text' }, { type: 'text', cache_control: hour })],
    ['tools.1.type', { tools: [tool, { type: 'web_search_20250305', name: 'web_search', max_uses: 5 }] }],
    ['tools.0.type', { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }],
    ['tools.0.allowed_callers', { tools: [{ ...tool, allowed_callers: ['code_execution_20250825'] }] }],
    ['messages.0.content.0.source.type', said({ type: 'image', source: fetched })],
    ['messages.0.content.0.source.type', said({ type: 'document', source: { type: 'file', file_id: 'f' } })],
    [
      'messages.0.content.0.content.0.source.type',
      said({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: fetched }] }),
    ],
    [
      'messages.0.content.0.source.content.0.source.type',
      said({ type: 'document', source: { type: 'content', content: [{ type: 'image', source: fetched }] } }),
    ],
    ['messages.0.content.0.type', said({ type: 'container_upload', file_id: 'f' })],
    ['context_management.edits.0.type', { context_management: { edits: [{ type: 'compact_20260112' }] } }],
  ])('that uses %s is refused by that name before anything is sent or spent', async (field, changes) => {
    await expect(pass(changes)).rejects.toMatchObject({
      code: 'invalid',
      retry: 'never',
      message: expect.stringContaining(`the model call of task api was not sent: field ${field}`),
    });
    expect(sent).toEqual([]);
    const { attempts } = await engine.task('run1', 'api');
    expect(attempts[0]?.meter).toMatchObject({ spentMicroUsd: 0, reservedMicroUsd: 0, calls: 0 });
  });

  it('says in its refusal what to do', async () => {
    await expect(pass({ speed: 'fast' })).rejects.toThrow(/is none that an attempt may use; leave it out$/);
    await expect(pass({ cache_control: hour })).rejects.toThrow(
      /only five minutes of caching are paid for; leave/,
    );
    await expect(pass(said({ type: 'image', source: fetched }))).rejects.toThrow(/send the content itself/);
  });

  it('is sent as it came where it costs tokens and nothing else, as coding agents send it', async () => {
    const call = {
      stream: false,
      system: [{ type: 'text', text: 'You write code.', cache_control: ephemeral }],
      messages: [
        { role: 'user', content: 'Look.' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: '', signature: 'c2ln' },
            // What a tool is given is the job's own affair.
            { type: 'tool_use', id: 't', name: 'read', input: { type: 'url', source: fetched, ttl: '1h' } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 't',
              content: [
                { type: 'text', text: 'x' },
                { type: 'image', source: { type: 'base64', media_type: 'image/png', data: '' } },
                { type: 'search_result', source: 'a.md', title: 'a', content: [{ type: 'text', text: 'a' }] },
              ],
              cache_control: { type: 'ephemeral', ttl: '5m' },
            },
          ],
        },
      ],
      tools: [
        { ...tool, type: 'custom', strict: true, eager_input_streaming: true, cache_control: ephemeral },
      ],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'high', format: { type: 'json_schema', schema: { type: 'object' } } },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      metadata: { user_id: 'u' },
      temperature: 1,
      stop_sequences: ['x'],
    };
    await pass(call);
    expect(sent).toEqual([
      { ...body, ...call },
      { ...body, ...call },
    ]);
  });
});
