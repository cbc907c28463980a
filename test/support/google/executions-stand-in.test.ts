import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ExecutionsStandIn, startExecutionsStandIn } from './executions-stand-in.ts';

const WORKFLOW = 'projects/acme/locations/europe-west1/workflows/requirement';
const ALL = `/v1/${WORKFLOW}/executions`;

describe('the stand-in of Workflow Executions', () => {
  let standIn: ExecutionsStandIn;
  const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> => {
    const headers = { authorization: 'Bearer x', 'content-type': 'application/json' };
    const response = await fetch(`${standIn.url}${path}`, { headers, ...init });
    return { status: response.status, body: await response.json() };
  };
  const post = (path: string, body: unknown) => ask(path, { method: 'POST', body: JSON.stringify(body) });
  const invalid = (message: string) => ({
    status: 400,
    body: { error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining(message) } },
  });
  beforeEach(async () => {
    standIn = await startExecutionsStandIn({ workflows: [WORKFLOW] });
  });
  afterEach(() => standIn.stop());

  it('shows arguments only to who asks for the full view', async () => {
    await post(ALL, { argument: '{"run":"r1"}' });
    const basic = { state: 'ACTIVE', workflowRevisionId: expect.any(String) };
    expect((await ask(ALL)).body).toMatchObject({ executions: [basic] });
    expect(JSON.stringify((await ask(ALL)).body)).not.toContain('argument');
    expect((await ask(`${ALL}?view=FULL`)).body).toEqual({ executions: standIn.executions() });
  });

  it('refuses what Google would refuse, with its error JSON, and starts nothing', async () => {
    expect(await post(ALL, { arguments: '{}' })).toEqual(invalid('Unknown name "arguments"'));
    expect(await post(ALL, { argument: { run: 'r1' } })).toEqual(invalid('argument'));
    expect(await post(ALL, { argument: '{' })).toEqual(invalid('not valid JSON'));
    expect(await post(ALL, { argument: JSON.stringify('x'.repeat(33_000)) })).toEqual(invalid('larger'));
    expect(await ask(`${ALL}?view=SOME`)).toEqual(invalid('view'));
    expect(await ask(`${ALL}?limit=1`)).toEqual(invalid('"limit"'));
    expect(await post(`${ALL}/x:cancel`, { force: true })).toEqual(invalid('"force"'));
    expect(await post(ALL.replace('requirement', 'other'), {})).toMatchObject({ status: 404 });
    expect(await ask(ALL, { method: 'POST', headers: {} })).toMatchObject({ status: 401 });
    expect(standIn.executions()).toEqual([]);
  });

  it('cancels what goes on, and nothing that has ended', async () => {
    const { body } = await post(ALL, {});
    const { name } = body as { name: string };
    expect(await post(`/v1/${name}:cancel`, {})).toMatchObject({ status: 200, body: { state: 'CANCELLED' } });
    expect(await post(`/v1/${name}:cancel`, {})).toMatchObject({
      status: 400,
      body: { error: { status: 'FAILED_PRECONDITION' } },
    });
  });
});
