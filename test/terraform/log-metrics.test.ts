import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPinoLog } from '../../shared/adapters/local/pino-log.ts';
import { claimTask } from '../../shared/core/claim-task.ts';
import type { Worker } from '../../shared/core/ports.ts';
import { sweep } from '../../shared/core/sweep.ts';
import type { AttemptResultInput } from '../../shared/messages/attempt-api.ts';
import { DONE, type Engine, POLICY, startEngine, TENANT } from '../support/engine.ts';
import { readLocal } from '../support/read-hcl.ts';
import { createSpendingModel } from '../support/spending-model.ts';

const terraform = fileURLToPath(new URL('../../terraform', import.meta.url));
const read = (file: string): string => readFileSync(join(terraform, file), 'utf8');
const local = (name: string): unknown => readLocal(join(terraform, 'monitoring.tf'), name);

interface NumberMetric {
  line: { text: string };
  field: string;
  labels: string[];
}
const numbers = Object.entries(local('log_numbers') as Record<string, NumberMetric>);
const conditions = Object.entries(
  local('log_metrics') as Record<string, { line: string; labels: object; also?: string }>,
);
const patternOf = ({ line }: NumberMetric): RegExp =>
  new RegExp(local(line.text.replace('local.', '')) as string);

/** An attempt of a second with one call to the model. */
const askOnce = async (open: Parameters<Worker>[0], tick: () => void): Promise<AttemptResultInput> => {
  const { attempt } = await open();
  const { id, maxOutputTokens } = attempt.brief.model;
  tick();
  await attempt.model.answer({
    model: id,
    system: '',
    turns: [],
    tools: [],
    maxOutputTokens: Math.min(maxOutputTokens, 1_000),
    timeoutMs: 1_000,
  });
  return DONE;
};

/** A line as Cloud Logging has it as `jsonPayload`. */
type Payload = Record<string, unknown> & { message: string };

describe('numbers that Terraform reads from the log', () => {
  let engine: Engine;
  let payloads: Payload[];
  const matching = (pattern: RegExp): Payload[] => payloads.filter(({ message }) => pattern.test(message));

  beforeAll(async () => {
    payloads = [];
    const destination = { write: (line: string) => void payloads.push(JSON.parse(line) as Payload) };
    const log = createPinoLog({ level: 'INFO', destination });
    const work: Worker = (open) => askOnce(open, () => engine.clock.advance(1_000));
    engine = await startEngine({ log, model: createSpendingModel(), work });
    const task = { id: 'a', agent: 'technical_writer', instructions: 'Nothing.' };
    const { id: run } = await engine.submit({ plan: [task] });
    await engine.deliver({ topic: 'run-accepted', message: { v: 1, tenant: TENANT, run } });
    await claimTask(engine.ports, { v: 1, tenant: TENANT, run, task: 'a', generation: 1 });
    engine.clock.advance(POLICY.leaseMs + 1);
    await sweep(engine.ports);
    engine.clock.advance(POLICY.retryBaseMs);
    await sweep(engine.ports);
    await engine.drain();
  });
  afterAll(() => engine.close());

  it.each(numbers)('are, for %s, in every line that is matched', (_, metric) => {
    const lines = matching(patternOf(metric));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toMatchObject({ [metric.field]: expect.any(Number) });
    }
    // An attempt that was lost before its first call has no model; its numbers are zeros.
    const last = lines.at(-1);
    for (const label of metric.labels) expect(last).toMatchObject({ [label]: expect.any(String) });
    if (!metric.field.startsWith('cache')) expect(last?.[metric.field]).toBeGreaterThan(0);
  });

  it('are of attempts that were lost as of others', () => {
    const attempts = matching(new RegExp(local('attempt_line') as string));
    expect(attempts.map(({ message }) => message)).toEqual(['attempt a/1 is lost', 'attempt a/2 succeeded']);
  });

  it('are compared where a count depends on them', () => {
    const compared = conditions.flatMap(([, { line, also }]) => (also === undefined ? [] : [{ line, also }]));
    expect(compared.length).toBeGreaterThan(0);
    for (const { line, also } of compared) {
      const field = /^jsonPayload\.(\w+)>0$/.exec(also)?.[1] ?? also;
      const lines = matching(new RegExp(line));
      expect(lines.length).toBeGreaterThan(0);
      for (const each of lines) expect(each).toMatchObject({ [field]: expect.any(Number) });
    }
  });

  it('are all asked for by an alert or the dashboard', () => {
    const asked = read('alerts.tf') + read('dashboard.tf');
    for (const [name] of numbers) expect(asked).toContain(`\${local.metric}${name.replaceAll('-', '_')}_`);
  });

  it('are asked for by no alert and no tile under a name that there is not', () => {
    const known = [...[...numbers, ...conditions].map(([name]) => name.replaceAll('-', '_')), 'page_seconds'];
    const asked = `${read('alerts.tf')}${read('dashboard.tf')}`.matchAll(/\$\{local\.metric\}(\w+)\{/g);
    const names = [...asked].map(([, name = '']) => name.replace(/_(sum|count|bucket)$/, ''));
    expect([...new Set(names)].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('are grouped only by labels that they have', () => {
    const labels = new Map<string, string[]>([
      ...numbers.map(([name, metric]): [string, string[]] => [name, metric.labels]),
      ...conditions.map(([name, metric]): [string, string[]] => [name, Object.keys(metric.labels)]),
    ]);
    const grouped = `${read('alerts.tf')}${read('dashboard.tf')}`.matchAll(
      /by \(([\w, ]+)\) \((?:increase|rate)\(\$\{local\.metric\}(\w+)\{/g,
    );
    const pairs = [...grouped].map(([, by = '', name = '']) => ({
      by: by.split(', ').filter((label) => label !== 'le'),
      name: name.replace(/_(sum|count|bucket)$/, '').replaceAll('_', '-'),
    }));
    expect(pairs.length).toBeGreaterThan(numbers.length);
    for (const { by, name } of pairs)
      expect([name, labels.get(name)]).toEqual([name, expect.arrayContaining(by)]);
  });
});
