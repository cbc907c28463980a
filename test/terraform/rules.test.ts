import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readLocal } from '../support/read-hcl.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'terraform');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
const sources = files
  .filter((file) => file.endsWith('.tf'))
  .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));
const all = sources.map(({ text }) => text).join('\n');
const tests = files
  .filter((file) => file.endsWith('.tftest.hcl'))
  .map((file) => readFileSync(join(folder, file), 'utf8'))
  .join('\n');
const guide = readFileSync(join(folder, 'README.md'), 'utf8');
const countOf = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

describe('grants in Terraform', () => {
  it('are single members, so that none takes away what somebody else gave', () => {
    expect(all).not.toMatch(/"google_\w+_iam_(binding|policy)"/);
    expect(countOf(all, /resource "google_\w+_iam_member"/g)).toBeGreaterThan(15);
  });

  it('are never a primitive role', () => {
    expect(all).not.toMatch(/"roles\/(owner|editor|viewer)"/);
  });

  it('let anybody in at one place, for a public door', () => {
    const places = sources.filter(({ text }) => /"all(Authenticated)?Users"/.test(text));
    expect(places.map(({ file }) => file)).toEqual(['modules/function/iam.tf']);
    expect(places[0]?.text).toMatch(/count = var\.settings\.door == "public" \? 1 : 0\n[^}]*"allUsers"/);
  });

  it("name the job's account once, as a caller of attempts", () => {
    const uses = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/google_service_account\.agent_job\.(\w+)/g)].map(([, part]) => `${file} ${part}`),
    );
    expect(uses.toSorted()).toEqual(['functions.tf member', 'job.tf email']);
  });

  it('are explained one by one in the guide', () => {
    const functions = Object.keys(readLocal(join(folder, 'functions.tf'), 'function_settings') as object);
    for (const name of [...functions, 'agent-job', 'build', 'delivery', 'scheduler', 'workflow']) {
      expect(guide).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
    }
    for (const [role] of all.matchAll(/roles\/[\w.]+/g)) expect(guide).toContain(role);
  });
});

describe('what Terraform refuses', () => {
  const messages = [...all.matchAll(/(?:error_message|says) += "((?:[^"\\]|\\.)*)"/g)].map(
    ([, text = '']) => text,
  );

  it('has a message of its own for each rule', () => {
    expect(messages.length).toBeGreaterThan(50);
    expect(new Set(messages).size).toBe(messages.length);
  });

  it('is tried out for every rule of a variable', () => {
    const variables = [...all.matchAll(/^variable "(\w+)" \{\n([^]*?)^\}/gm)];
    for (const [, name = '', body = ''] of variables) {
      const rules = countOf(body, /\n {2}validation \{/g);
      const tried = countOf(tests, new RegExp(`^ +var\\.${name},$`, 'gm'));
      expect([name, tried >= rules]).toEqual([name, true]);
    }
  });

  it('is tried out for every rule over several variables that a variable can break', () => {
    const rules = [...readFileSync(join(folder, 'checks.tf'), 'utf8').matchAll(/^ {4}([a-z-]+) = \{$/gm)];
    const names = rules.map(([, name = '']) => name);
    const tried = [...tests.matchAll(/terraform_data\.checks\["([a-z-]+)"\]/g)].map(([, name = '']) => name);
    // What is left: a project that is not there, and what only a change of functions.tf breaks.
    expect(names.filter((name) => !tried.includes(name))).toEqual([
      'project-is-there',
      'only-webhooks-is-public',
      'public-door-asks-for-tokens',
    ]);
  });
});

describe('the guide to Terraform', () => {
  it('says of every kind of resource what is known of it', () => {
    const kinds = [...new Set([...all.matchAll(/^resource "(google_\w+)"/gm)].map(([, kind = '']) => kind))];
    const rows = [...guide.matchAll(/^\| `(google_\w+)` +\| schema-checked +\|/gm)].map(
      ([, kind = '']) => kind,
    );
    expect(rows.toSorted()).toEqual(kinds.toSorted());
  });

  it('has a line of the runbook for every alert', () => {
    const alerts = Object.keys(readLocal(join(folder, 'alerts.tf'), 'alerts') as object);
    const lines = [...guide.matchAll(/^\| `([a-z-]+)` +\| [^|]+ \| [^|]+ \|$/gm)].map(
      ([, name = '']) => name,
    );
    expect(lines).toEqual(expect.arrayContaining(alerts));
  });
});

describe('links to the log', () => {
  it('are there for every alert', () => {
    const queries = readFileSync(join(folder, 'log-queries.tf'), 'utf8');
    const linked = [...queries.matchAll(/^ {4}([a-z-]+) += /gm)].map(([, name = '']) => name);
    const alerts = Object.keys(readLocal(join(folder, 'alerts.tf'), 'alerts') as object);
    expect(linked.toSorted()).toEqual(alerts.toSorted());
  });
});

describe('what the guide says that it costs', () => {
  const money = (text: string): number => Number(text.replaceAll(/[^0-9.]/g, ''));
  const tables = [...guide.matchAll(/^\| [^|]+ \| +counted \|[^]*?^\| \*\*sum\*\*[^\n]+$/gm)].map(([table]) =>
    table
      .split('\n')
      .slice(2)
      .map((line) => line.split('|').map((cell) => cell.trim())),
  );

  it('is, line by line, what was counted at its price, and adds up', () => {
    expect(tables).toHaveLength(2);
    for (const lines of tables) {
      const sum = lines.pop();
      for (const [, what, counted = '', price = '', cost = ''] of lines) {
        const [dollars = '', units = ''] = price.split(' per ');
        expect([what, ((money(counted) * money(dollars)) / money(units)).toFixed(4)]).toEqual([what, cost]);
      }
      const total = lines.reduce((before, line) => before + money(line[4] ?? ''), 0);
      expect(money(sum?.[4] ?? '').toFixed(4)).toBe(total.toFixed(4));
    }
  });
});

describe('lines of the log that Terraform counts', () => {
  /** Messages of the code, with something in place of what is put in. */
  const written = readdirSync(root, { recursive: false, encoding: 'utf8' })
    .filter((name) => ['functions', 'shared'].includes(name))
    .flatMap((name) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(root, name, file),
      ),
    )
    .filter((file) => file.endsWith('.ts') && !file.includes('/cli/'))
    .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\blog\.(?:info|warn|error)\(\s*`([^`]*)`/g)])
    .map(([, text = '']) => text.replaceAll('${data.stage}', 'failed').replaceAll(/\$\{[^}]*\}/g, 'x'));

  it('are written by the code', () => {
    const metrics = readLocal(join(folder, 'monitoring.tf'), 'log_metrics') as Record<
      string,
      { line: string }
    >;
    for (const [name, { line }] of Object.entries(metrics)) {
      expect([name, written.some((text) => new RegExp(line).test(text))]).toEqual([name, true]);
    }
  });

  it('are all asked for by an alert or the dashboard', () => {
    const asked =
      readFileSync(join(folder, 'alerts.tf'), 'utf8') + readFileSync(join(folder, 'dashboard.tf'), 'utf8');
    const metrics = Object.keys(readLocal(join(folder, 'monitoring.tf'), 'log_metrics') as object);
    for (const name of metrics) expect(asked).toContain(`\${local.metric}${name.replaceAll('-', '_')}`);
  });
});
