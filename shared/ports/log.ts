export interface LogFields {
  tenant?: string;
  run?: string;
  task?: string;
  generation?: number;
  [name: string]: unknown;
}

/** Structured logs, one line per entry in Cloud Logging's JSON shape, each with the trace that it is written in. Never a secret, never a whole payload. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  with(fields: LogFields): Log;
}
