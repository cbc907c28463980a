import { describe, expect, it } from '@jest/globals';
import { jobEnvironment } from '../../../shared/ports/job-starter.ts';
import { aJob } from '../../contract/job-starter-contract.ts';

describe('What a job is told by its environment', () => {
  it('is its ticket, its attempt and the trace that it goes on in', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect(jobEnvironment(aJob({ traceparent }))).toEqual({
      PENSTOCK_TICKET: 'local.r1234567.build.1.a-ticket-that-nobody-else-may-see',
      PENSTOCK_ATTEMPT: 'local/r1234567/build/1',
      PENSTOCK_TRACEPARENT: traceparent,
    });
  });

  it('has no trace where there is none', () => {
    expect(jobEnvironment(aJob({ traceparent: undefined }))).not.toHaveProperty('PENSTOCK_TRACEPARENT');
  });
});
