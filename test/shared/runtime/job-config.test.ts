import { describe, expect, it } from '@jest/globals';
import { readJobConfig } from '../../../shared/runtime/job-config.ts';

const environment = {
  PENSTOCK_ATTEMPTS_URL: 'https://attempts.example',
  PENSTOCK_TICKET: 'ticket-0123456789-0123456789',
  PENSTOCK_ATTEMPT: 'local/run1/api/1',
};

describe('readJobConfig', () => {
  it('has safe defaults', () => {
    expect(readJobConfig(environment)).toEqual({
      attemptsUrl: 'https://attempts.example',
      ticket: environment.PENSTOCK_TICKET,
      attempt: 'local/run1/api/1',
      dataFolder: '/workspace',
      sandbox: 'auto',
      isUnsafeAllowed: false,
      trace: { OTEL_TRACES_SAMPLER_ARG: 1 },
    });
  });

  it('knows the trace it goes on in, and where its spans go', () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const config = readJobConfig({
      ...environment,
      PENSTOCK_TRACEPARENT: traceparent,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      GOOGLE_CLOUD_PROJECT: 'acme',
    });
    expect(config).toMatchObject({ traceparent, project: 'acme' });
    expect(config.trace).toEqual({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_TRACES_SAMPLER_ARG: 0.25,
    });
  });

  it('makes a relative folder absolute, as commands in a sandbox need it', () => {
    const { dataFolder } = readJobConfig({ ...environment, PENSTOCK_DATA: '.penstock' });
    expect(dataFolder).toBe(`${process.cwd()}/.penstock`);
  });

  it.each(['PENSTOCK_ATTEMPTS_URL', 'PENSTOCK_TICKET', 'PENSTOCK_ATTEMPT'])(
    'says of %s, when it is missing, who gives it',
    (name) => {
      const read = () => readJobConfig({ ...environment, [name]: undefined });
      expect(read).toThrow(new RegExp(`^settings are wrong: ${name} is not set: .*(Terraform|the platform)`));
    },
  );

  it('names every wrong variable, and never shows the ticket', () => {
    const wrong = {
      ...environment,
      PENSTOCK_ATTEMPTS_URL: 'x',
      PENSTOCK_TICKET: 'short-secret',
      PENSTOCK_UNSAFE_NO_SANDBOX: 'maybe',
    };
    expect(() => readJobConfig(wrong)).toThrow(
      /PENSTOCK_ATTEMPTS_URL.*PENSTOCK_TICKET.*PENSTOCK_UNSAFE_NO_SANDBOX/,
    );
    expect(() => readJobConfig(wrong)).not.toThrow(/short-secret/);
  });
});
