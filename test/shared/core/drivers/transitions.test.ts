import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stages } from '../../../../shared/messages/stages.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const sources = ['shared', 'functions'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') })),
);

function places(pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(() => path));
}

describe('the stage of a run', () => {
  it('is written by the stage machine alone, after its first', () => {
    const literal = new RegExp(`\\bstage: '(?:${stages.join('|')})'`, 'g');
    expect(places(literal)).toEqual(['shared/core/submit-run.ts']);
    const written = new RegExp(`\\bstage = '|\\.stage = |\\['stage'\\]`, 'g');
    expect(places(written)).toEqual([]);
    // Beside a spread record: a copy of a run with another stage.
    const copied = /\.\.\.\w+,(?:[^{}]|\n)*?\bstage(?::|,)/g;
    const core = places(copied).filter((path) => path.startsWith('shared/core/'));
    expect(core).toEqual(['shared/core/advance-run.ts']);
  });

  it('goes on in no way that only one kind of driver has', () => {
    const drivers = sources.filter(({ path }) => path.startsWith('shared/core/drivers/'));
    expect(drivers.length).toBeGreaterThan(3);
    const own = [...drivers, ...sources.filter(({ path }) => path.startsWith('functions/stages/'))];
    expect(own.filter(({ text }) => /\badvanceRun\b|\bendRun\b/.test(text)).map(({ path }) => path)).toEqual(
      [],
    );
  });

  it('waits for a driver at each point where a next one begins, by one predicate', () => {
    const asked = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/\bmayBegin\(\w+(?:\.\w+)?, '(\w+)'\)/g)].map(
        ([, stage = '']) => `${stage}: ${path}`,
      ),
    );
    expect(asked.toSorted()).toEqual([
      'close: shared/core/integration/integrate-run.ts',
      'execute: shared/core/plan/accept-plan.ts',
      'integrate: shared/core/settle-run.ts',
      'plan: shared/core/decompose-run.ts',
      'review: shared/core/integration/integrate-run.ts',
    ]);
    // Who else asks a run for its driver: whoever makes one, shows it, or spares a direct one the work.
    const isAbout = /\brun\.driver\b|\bdriver [!=]== (?!undefined)|\{[^}]*\bdriver\b[^}]*\} = (?:run|old)\b/;
    const allowed = /^shared\/core\/(drivers|views)\/|^shared\/core\/(submit-run|repeat-run|end-fields)\.ts$/;
    const askers = sources.filter(({ path, text }) => isAbout.test(text) && !allowed.test(path));
    expect(askers.map(({ path }) => path)).toEqual([]);
  });
});
