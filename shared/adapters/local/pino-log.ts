import { type DestinationStream, type Logger, pino } from 'pino';
import { redact } from '../../core/repository/scan-secrets.ts';
import type { Log, LogFields } from '../../ports/log.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'SILENT';

const levels = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', SILENT: 'silent' } as const;
const severities: Record<string, string> = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' };

/** Of nested fields; what lies deeper is left out. */
const MAX_DEPTH = 5;
/** Text under these names is a secret whatever it looks like; our own tickets and tokens look like nothing known. */
const SECRET_NAMES =
  /^(?:proxy-)?authorization$|^x-api-key$|^(?:[a-z]+_?)?(?:ticket|token|secret|password|apikey|api_key|privatekey|private_key)$/i;
/** Names of the entry itself: a field of the same name would replace it for whoever reads the line. */
const RESERVED = new Set(['severity', 'message', 'time']);

/** One JSON line per entry, in the shape that Cloud Logging reads: severity, message, time, trace. */
export function createPinoLog(config: { level: LogLevel; destination?: DestinationStream }): Log {
  const options = {
    level: levels[config.level],
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: severities[label] ?? 'DEFAULT' }) },
  };
  return wrap(pino(options, config.destination ?? pino.destination({ fd: 2, sync: true })), {});
}

/** Fields are merged here and not by the logger, which would write a name twice. */
function wrap(logger: Logger, inherited: LogFields): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    if (logger.isLevelEnabled(level)) logger[level](entryOf({ ...inherited, ...fields }), redact(message));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(logger, { ...inherited, ...fields }),
  };
}

function entryOf({ trace, ...fields }: LogFields): Record<string, unknown> {
  const named = Object.entries(fields).map(([name, value]) => [
    RESERVED.has(name) ? `${name}_` : name,
    safe(name, value),
  ]);
  const entry = Object.fromEntries(named) as Record<string, unknown>;
  return trace === undefined ? entry : { ...entry, 'logging.googleapis.com/trace': trace };
}

/** Each text by itself: in the finished line, escapes would hide where a secret begins. */
function safe(name: string, value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return safeText(name, value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (value instanceof Error)
    return { name: value.name, message: redact(value.message), stack: redact(value.stack ?? '') };
  if (Array.isArray(value)) return value.map((item) => safe(name, item, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return safe(name, value.toJSON(), depth + 1);
  const entries = Object.entries(value).map(([key, item]) => [redact(key), safe(key, item, depth + 1)]);
  return Object.fromEntries(entries);
}

/** Some secrets are known only by what stands before them. */
function safeText(name: string, text: string): string {
  const assigned = `${name}=${text}`;
  const known = redact(text);
  const isNamed = SECRET_NAMES.test(name) || (known === text && redact(assigned) !== assigned);
  return isNamed ? '[redacted]' : known;
}
