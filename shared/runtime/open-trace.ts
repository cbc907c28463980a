import { createOpenTelemetryTrace } from '../adapters/opentelemetry/opentelemetry-trace.ts';
import type { Log } from '../ports/log.ts';
import type { Trace } from '../ports/trace.ts';
import type { TraceConfig } from './trace-config.ts';

export interface TraceOptions {
  /** What spans come from, where nothing else is configured. */
  service: string;
  /** Told of spans that could not be sent. The log itself asks the trace. */
  log: () => Log;
}

/** Spans are kept and sent where an OTLP endpoint is configured; contexts go on everywhere. */
export function openTrace(config: TraceConfig, { service, log }: TraceOptions): Promise<Trace> {
  const url = config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? tracesOf(config.OTEL_EXPORTER_OTLP_ENDPOINT);
  if (url === undefined) return createOpenTelemetryTrace();
  const exported = {
    url,
    service: config.OTEL_SERVICE_NAME ?? config.K_SERVICE ?? service,
    ratio: config.OTEL_TRACES_SAMPLER_ARG,
    // There the framework ends the process at SIGTERM, and between two requests it has no processor.
    isFrozenAfterAnswer: config.K_SERVICE !== undefined,
    onLost: (reason: string) => log().warn(`${reason}; check OTEL_EXPORTER_OTLP_ENDPOINT`),
  };
  return createOpenTelemetryTrace({ exported });
}

function tracesOf(endpoint: string | undefined): string | undefined {
  return endpoint === undefined ? undefined : `${endpoint.replace(/\/+$/, '')}/v1/traces`;
}
