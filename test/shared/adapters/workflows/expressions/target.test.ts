import { describe, expect, it } from '@jest/globals';
import { compileTarget } from '../../../../../shared/adapters/workflows/expressions/target.ts';
import type { Value } from '../../../../../shared/adapters/workflows/values.ts';
import { scopeOf } from './evaluate.ts';

const scope = scopeOf({ idx: 1n, key: 'K', table: 'users' });

function pathOf(source: string): [string, ...Value[]] {
  const target = compileTarget(source);
  if (!target.ok) throw new Error(target.message);
  return [
    target.name,
    ...target.path.map(({ key }) => (typeof key === 'string' ? key : key.evaluate(scope))),
  ];
}

describe('the left side of an assignment', () => {
  it.each<[string, [string, ...Value[]]]>([
    ['name', ['name']],
    ['my_map.Key1', ['my_map', 'Key1']],
    ['my_map["Key2"]', ['my_map', 'Key2']],
    ['my_map[key + "3"]', ['my_map', 'K3']],
    ['my_list[idx + 1]', ['my_list', 2n]],
    ['m[0][1]', ['m', 0n, 1n]],
    ['results[table].title', ['results', 'users', 'title']],
    ['execution_results.in.not', ['execution_results', 'in', 'not']],
    ['__proto__.constructor', ['__proto__', 'constructor']],
  ])('%s', (source, expected) => {
    expect(pathOf(source)).toEqual(expected);
  });

  it.each<[string, number]>([
    ['', 0],
    ['"name"', 0],
    ['a + b', 2],
    ['f(1)', 0],
    ['f(1).a', 0],
    ['a[', 2],
    ['a.b-c', 3],
    ['true', 0],
    ['['.repeat(50_000), 0],
  ])('%.20s is refused at %i', (source, offset) => {
    expect(compileTarget(source)).toMatchObject({ ok: false, offset });
  });

  it('says where each of its keys stands', () => {
    expect(compileTarget('a.b[c]')).toMatchObject({ path: [{ offset: 2 }, { offset: 4 }] });
  });
});
