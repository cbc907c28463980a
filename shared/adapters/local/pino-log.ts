import { type DestinationStream, type Logger, pino } from 'pino';
import { redact } from '../../core/repository/scan-secrets.ts';
import type { Log, LogFields } from '../../ports/log.ts';
import type { Trace } from '../../ports/trace.ts';
import { parseTraceparent } from '../../ports/traceparent.ts';

export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'SILENT';

const levels = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', SILENT: 'silent' } as const;
const severities: Record<string, string> = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR' };

/** Of nested fields; what lies deeper is left out. */
const MAX_DEPTH = 5;
/** Text under these names is a secret whatever it looks like; our own tickets and tokens look like nothing known. */
const SECRET_NAMES =
  /^(?:proxy-)?authorization$|^x-api-key$|^(?:[a-z]+_?)?(?:ticket|token|secret|password|apikey|api_key|privatekey|private_key)$/i;
/** Names of the entry itself: a field of the same name would replace it for whoever reads the line. */
const RESERVED = new Set(['severity', 'message', 'time', 'trace']);

export interface PinoLogConfig {
  level: LogLevel;
  /** Whose current span each entry names. @default none */
  trace?: Pick<Trace, 'current'>;
  /** Google Cloud project in which traces are looked up. */
  project?: string | undefined;
  destination?: DestinationStream;
}

/** One JSON line per entry, in the shape that Cloud Logging reads: severity, message, time, trace. */
export function createPinoLog(config: PinoLogConfig): Log {
  const options = {
    level: levels[config.level],
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ severity: severities[label] ?? 'DEFAULT' }) },
  };
  const logger = pino(options, config.destination ?? pino.destination({ fd: 2, sync: true }));
  return wrap(logger, {}, () => traceEntry(config));
}

/** Fields are merged here and not by the logger, which would write a name twice. */
function wrap(logger: Logger, inherited: LogFields, trace: () => object): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level]({ ...entryOf({ ...inherited, ...fields }), ...trace() }, redact(message));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => wrap(logger, { ...inherited, ...fields }, trace),
  };
}

/** Its id for people and programs, and what Cloud Logging links an entry to its trace by. */
function traceEntry({ trace, project }: PinoLogConfig): object {
  const context = parseTraceparent(trace?.current());
  if (context === undefined) return {};
  const { traceId, spanId, isSampled } = context;
  return {
    trace: traceId,
    'logging.googleapis.com/trace': project === undefined ? traceId : `projects/${project}/traces/${traceId}`,
    'logging.googleapis.com/spanId': spanId,
    'logging.googleapis.com/trace_sampled': isSampled,
  };
}

function entryOf(fields: LogFields): Record<string, unknown> {
  const named = Object.entries(fields).map(([name, value]) => [
    RESERVED.has(name) ? `${name}_` : name,
    safe(name, value),
  ]);
  return Object.fromEntries(named) as Record<string, unknown>;
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
