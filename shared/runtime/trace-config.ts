import { z } from 'zod';

const url = z.url({ protocol: /^https?$/ });

/** OpenTelemetry's own variables, for every process of ours; without an endpoint traces go on and no span is kept. */
export const traceVariables = {
  /** Of an OTLP collector, for all signals; spans go to `/v1/traces` there. */
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  /** For traces alone, as it stands. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url.optional(),
  /** What spans are said to come from. @default the name of the process */
  OTEL_SERVICE_NAME: z.string().min(1).optional(),
  /** Share of new traces that is kept. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  /** Set by Cloud Run: the name of the function. */
  K_SERVICE: z.string().min(1).optional(),
};
export type TraceConfig = z.infer<z.ZodObject<typeof traceVariables>>;

/** What a process that this one starts is to send its spans by. */
export function traceEnvironment(config: TraceConfig): Record<string, string> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_TRACES_SAMPLER_ARG } = config;
  const given = { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_TRACES_SAMPLER_ARG };
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}
