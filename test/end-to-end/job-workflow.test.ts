import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inProcess, type Platform, startPlatform } from '../support/platform.ts';
import { createSampleRepository, type SampleRepository } from '../support/sample-repository.ts';

/** The first generation claims its attempt and dies; the next one says that it cannot do what it is asked. */
const PROGRAM = `
const { PENSTOCK_ATTEMPTS_URL: url, PENSTOCK_TICKET: ticket, PENSTOCK_ATTEMPT: attempt } = process.env;
const post = (path, body, token) =>
  fetch(\`\${url}/internal/attempts/\${path}\`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: \`Bearer \${token}\` },
    body: JSON.stringify(body),
  });
const { token } = await (await post('claim', { ticket })).json();
if (attempt.endsWith('/1')) process.exit(7);
const failure = { code: 'invalid_input', message: 'no such thing' };
await post('finish', { outcome: 'failed', failure }, token);
`;

inProcess(describe, 'the test has a job program of its own')('jobs that a workflow starts', () => {
  let platform: Platform;
  let sample: SampleRepository;
  let folder: string;
  beforeEach(async () => {
    sample = createSampleRepository({ 'src/api.ts': 'x\n' });
    folder = await mkdtemp(join(tmpdir(), 'penstock-job-'));
    const jobProgram = join(folder, 'job.mjs');
    await writeFile(jobProgram, PROGRAM);
    platform = await startPlatform({
      jobProgram,
      // Nothing here waits for a lease.
      env: {
        PENSTOCK_JOB_WORKFLOW: 'agent-job',
        PENSTOCK_LEASE_SECONDS: '600',
        PENSTOCK_START_SECONDS: '600',
      },
    });
  });
  afterEach(async () => {
    await platform.stop();
    sample.remove();
    await rm(folder, { recursive: true });
  });

  it('are followed to their end: one that dies without a word is reported at once, and the next attempt begins', async () => {
    const plan = { tasks: [{ id: 'api', agent: 'backend_developer', instructions: 'Do it.' }] };
    const { body } = await platform.post('/api/requirements', {
      requirement: 'Do it.',
      repository: sample.folder,
      plan,
    });
    const run = await platform.ended(String(body['runId']));
    expect(run.stage).toBe('failed');
    const task = (await platform.tasks(run.id)).find(({ id }) => id === 'api');
    expect(task?.attempts.map(({ exit }) => exit)).toMatchObject([
      { outcome: 'lost', message: expect.stringContaining('its process ended with 7') },
      { outcome: 'failed', code: 'invalid_input' },
    ]);
  });
});
