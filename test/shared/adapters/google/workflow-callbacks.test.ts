import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGoogleCredentials } from '../../../../shared/adapters/google/google-credentials.ts';
import { createWorkflowCallbacks } from '../../../../shared/adapters/google/workflow-callbacks.ts';
import type { WorkflowCallbacks } from '../../../../shared/ports/workflow-callbacks.ts';

describe('the callbacks of Google Cloud Workflows', () => {
  let server: Server;
  let callbacks: WorkflowCallbacks;
  let status: number;
  let seen: { method: string; url: string; authorization: string; body: unknown }[];
  beforeEach(async () => {
    [status, seen] = [200, []];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        seen.push({ method, url, authorization: headers.authorization ?? '', body: JSON.parse(text) });
        response.writeHead(status).end('no JSON');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    callbacks = callbacksAt((server.address() as AddressInfo).port);
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const callbacksAt = (port: number): WorkflowCallbacks => {
    const baseUrl = `http://127.0.0.1:${port}`;
    const auth = createGoogleCredentials(baseUrl);
    return createWorkflowCallbacks({
      baseUrl,
      auth,
      project: 'acme',
      region: 'europe-west1',
      timeoutMs: 5_000,
    });
  };
  const wake = (callback = 'cb1') =>
    callbacks.wake({ workflow: 'requirement', id: 'e1' }, callback, { stage: 'plan', sequence: 2 });

  it('are told stage and sequence, at a URL made of the configuration and ids alone', async () => {
    await wake();
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/v1/projects/acme/locations/europe-west1/workflows/requirement/executions/e1/callbacks/cb1',
        authorization: 'Bearer for-a-stand-in',
        body: { stage: 'plan', sequence: 2 },
      },
    ]);
    await wake('../../evil?x=');
    expect(seen[1]?.url).toMatch(/\/callbacks\/\.\.%2F\.\.%2Fevil%3Fx%3D$/);
  });

  it('that wait no more are as good as told', async () => {
    status = 404;
    await expect(wake()).resolves.toBeUndefined();
  });

  it.each([429, 500, 503])('that answer %s are told again later', async (answer) => {
    status = answer;
    await expect(wake()).rejects.toMatchObject({ retry: 'later' });
  });

  it('of which no answer comes are told again later', async () => {
    callbacks = callbacksAt(1);
    await expect(wake()).rejects.toMatchObject({ code: 'unavailable', retry: 'later' });
  });

  it('that need a role name it', async () => {
    status = 403;
    await expect(wake()).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('roles/workflows.invoker'),
    });
  });
});
