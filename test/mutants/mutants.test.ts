import { describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mutants } from './mutants.ts';
import { mutate } from './run-mutant.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

describe('the list of mutants', () => {
  it.each(mutants)('still fits the source: $name', (mutant) => {
    const source = readFileSync(path(mutant.file), 'utf8');
    expect(mutate(source, mutant)).not.toBe(source);
    expect(existsSync(path(mutant.test))).toBe(true);
  });

  it('names each once', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });
});
