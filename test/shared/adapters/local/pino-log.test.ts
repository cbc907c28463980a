import { describe, expect, it } from '@jest/globals';
import { createPinoLog, type PinoLogConfig } from '../../../../shared/adapters/local/pino-log.ts';
import { logContract } from '../../../contract/log-contract.ts';

function open(config: Partial<PinoLogConfig> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createPinoLog({ level: 'DEBUG', destination, ...config }), text: () => lines.join('') };
}

logContract('pino', (level) => open({ level }));

describe('pino as a log of a traced process', () => {
  const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${TRACE_ID}-00f067aa0ba902b7-01`;
  const entry = (config: Partial<PinoLogConfig>, fields = {}): Record<string, unknown> => {
    const { log, text } = open(config);
    log.with({ run: 'r' }).info('a run began', fields);
    return JSON.parse(text()) as Record<string, unknown>;
  };

  it('names the trace it writes in, and links it where Cloud Logging looks for it', () => {
    expect(entry({ trace: { current: () => traceparent }, project: 'acme' })).toMatchObject({
      run: 'r',
      trace: TRACE_ID,
      'logging.googleapis.com/trace': `projects/acme/traces/${TRACE_ID}`,
      'logging.googleapis.com/spanId': '00f067aa0ba902b7',
      'logging.googleapis.com/trace_sampled': true,
    });
  });

  it('links the id alone where there is no project', () => {
    expect(entry({ trace: { current: () => traceparent.replace(/1$/, '0') } })).toMatchObject({
      trace: TRACE_ID,
      'logging.googleapis.com/trace': TRACE_ID,
      'logging.googleapis.com/trace_sampled': false,
    });
  });

  it('names none outside every span, and lets no field pass for one', () => {
    expect(Object.keys(entry({ trace: { current: () => undefined } }, { trace: 'mine' })).toSorted()).toEqual(
      ['message', 'run', 'severity', 'time', 'trace_'],
    );
  });
});
