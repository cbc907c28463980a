import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { topics } from '../shared/messages/topics.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Folders that a process starts from by the functions framework. */
const registered = readdirSync(join(root, 'functions')).filter((name) =>
  existsSync(join(root, 'functions', name, 'index.ts')),
);

/** `| name | door | does |` rows of the README. */
const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| ([^|]+?) +\| [^|]+ \|$/gm)].map(
  ([, name = '', door = '']) => ({ name, door }),
);

describe('the README', () => {
  it('lists every function that is registered, and the job', () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...registered, 'agent-job'].toSorted());
  });

  it('names for each function the topic that it really takes', () => {
    for (const { name, door } of rows.filter((row) => row.door.startsWith('`'))) {
      const source = readFileSync(join(root, 'functions', name, `${name}.ts`), 'utf8');
      expect(source).toContain(`topic: '${door.replaceAll('`', '')}'`);
    }
  });

  it('shows the two commands as the package has them', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(Object.keys(scripts)).toEqual(
      expect.arrayContaining(['start', 'test', 'check', 'format', 'penstock']),
    );
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
  });
});

/** `| what | counted | price per unit | $ |` of the README: its tables of costs, each with its sum. */
describe('what the README says that it costs', () => {
  const money = (text: string): number => Number(text.replaceAll(/[^0-9.]/g, ''));
  const tables = [...readme.matchAll(/^\| [^|]+ \| +counted \|[^]*?^\| \*\*sum\*\*[^\n]+$/gm)].map(
    ([table]) =>
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
      const total = lines.reduce((all, line) => all + money(line[4] ?? ''), 0);
      expect(money(sum?.[4] ?? '').toFixed(4)).toBe(total.toFixed(4));
    }
  });
});

describe('every topic', () => {
  it('has a function that takes it', () => {
    const taken = rows.flatMap(({ door }) => (door.startsWith('`') ? [door.replaceAll('`', '')] : []));
    expect(taken.toSorted()).toEqual(Object.keys(topics).toSorted());
  });
});
