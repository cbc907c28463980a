import { describe, expect, it } from '@jest/globals';
import { parseContract } from '../../../../shared/core/repository/parse-contract.ts';
import { PenstockError } from '../../../../shared/ports/penstock-error.ts';

const reasonsOf = (text: string): string[] => {
  try {
    parseContract(text);
  } catch (error) {
    if (error instanceof PenstockError && error.code === 'invalid') return error.reasons;
    throw error;
  }
  return [];
};

describe('a repository contract', () => {
  it('takes one command or several', () => {
    expect(
      parseContract(
        'test: npm test\nlint:\n  - npm run lint\n  - npm run format\nbudgetUsd: 2.5\npaths: ["src/**"]\n',
      ),
    ).toEqual({
      test: ['npm test'],
      lint: ['npm run lint', 'npm run format'],
      budgetUsd: 2.5,
      paths: ['src/**'],
    });
  });

  it('may be empty', () => {
    expect(parseContract('')).toEqual({});
    expect(parseContract('# nothing yet\n')).toEqual({});
  });

  it.each([
    [
      'an unknown setting',
      'test: x\ntets: y\n',
      /^\.github\/penstock\.yml:2:1: tets is not a setting; there are setup, test,/,
    ],
    ['a wrong value', 'test: x\nbudgetUsd: many\n', /penstock\.yml:2:1: budgetUsd: /],
    ['a wrong item', 'test: x\npaths:\n  - a\n  - 7\n', /penstock\.yml:4:5: paths\.1: /],
    ['a list', '- a\n', /penstock\.yml:1:1: the file: /],
    ['broken YAML', 'test: x\nlint: [a\nbuild: b\n', /penstock\.yml:[23]:\d+: /],
    ['a tab', 'test:\n\t- x\n', /penstock\.yml:2:\d+: /],
    ['a setting twice', 'test: x\ntest: y\n', /penstock\.yml:2:1: Map keys must be unique/],
    ['two documents', 'test: x\n---\ntest: y\n', /penstock\.yml:2:\d+: /],
  ])('with %s is refused with line and column', (_name, text, reason) => {
    expect(reasonsOf(text)[0]).toMatch(reason);
  });

  it('is refused with all reasons at once', () => {
    expect(reasonsOf('a: 1\nb: 2\nbudgetUsd: -1\n')).toHaveLength(3);
  });

  it('is refused when it is a bomb', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefghi'
        .split('')
        .map(
          (name, index) =>
            `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[index]}`).join(', ')}]`,
        ),
    ];
    expect(reasonsOf(bomb.join('\n'))[0]).toMatch(/alias/i);
    expect(reasonsOf('#'.repeat(70_000))[0]).toContain('64000 characters');
  });
});
