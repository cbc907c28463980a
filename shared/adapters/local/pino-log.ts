import { type DestinationStream, type Logger, pino } from 'pino';
import { redact } from '../../core/repository/scan-secrets.ts';
import type { Log, LogFields } from '../../ports/log.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'SILENT';

const levels = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', SILENT: 'silent' } as const;
const severities: Record<string, string> = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' };

/** One JSON line per entry, in the shape that Cloud Logging reads: severity, message, time, trace. */
export function createPinoLog(config: { level: LogLevel; destination?: DestinationStream }): Log {
  const options = {
    level: levels[config.level],
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: severities[label] ?? 'DEFAULT' }) },
  };
  return wrap(pino(options, config.destination ?? pino.destination({ fd: 2, sync: true })));
}

function wrap(logger: Logger): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    logger[level](named(fields), redact(message));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(logger.child(named(fields))),
  };
}

function named({ trace, ...fields }: LogFields = {}): Record<string, unknown> {
  return trace === undefined ? fields : { ...fields, 'logging.googleapis.com/trace': trace };
}
