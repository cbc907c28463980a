import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type JobWorld, openJobWorld } from './job-world.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${TRACE_ID}-00f067aa0ba902b7-01`;

const turns = [
  {
    id: 'look',
    agent: 'backend_developer',
    when: { assistantTurns: 0 },
    answer: { tool_uses: [{ name: 'shell', input: { command: 'cat ../.task/*/run-*/metadata.yaml' } }] },
  },
  { id: 'end', agent: 'backend_developer', when: { assistantTurns: 1 }, answer: { text: 'Seen.' } },
];

describe('the trace of a job', () => {
  let world: JobWorld;
  beforeEach(async () => {
    world = await openJobWorld(turns);
  });
  afterEach(() => world.stop());

  it('goes on in all that it asks of the platform, in its log and in its task files (002-36)', async () => {
    const job = world.start(
      { traceparent },
      { PENSTOCK_TRACEPARENT: traceparent, GOOGLE_CLOUD_PROJECT: 'acme', PENSTOCK_SANDBOX: 'none' },
    );
    expect({ code: await job.ended, log: job.text() }).toMatchObject({ code: 0 });
    const { attempts } = world;
    expect(attempts.calls).toEqual(
      expect.arrayContaining(['/internal/attempts/finish', '/internal/attempts/model/v1/messages']),
    );
    expect(attempts.traceparents).toEqual(attempts.calls.map(() => traceparent));
    for (const entry of job.log()) {
      expect(entry).toMatchObject({
        trace: TRACE_ID,
        'logging.googleapis.com/trace': `projects/acme/traces/${TRACE_ID}`,
      });
    }
    expect(JSON.stringify(attempts.lines())).toContain(`traceparent: ${traceparent}`);
  });

  it('is a new one where it was told none, or nonsense', async () => {
    const job = world.start({}, { PENSTOCK_TRACEPARENT: 'nonsense' });
    expect({ code: await job.ended, log: job.text() }).toMatchObject({ code: 0 });
    const [first, ...others] = world.attempts.traceparents;
    expect(first).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(new Set(others)).toEqual(new Set([first]));
  });
});
