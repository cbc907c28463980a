import { plainText } from '../plain-text.ts';
import type { Arguments, NamedArgument, StepBody } from './ast.ts';
import { readName, readVariable } from './fields.ts';
import type { At, Fields } from './reader.ts';
import type { Tree } from './source-tree.ts';
import { readTemplate } from './template.ts';

export function readCall(fields: Fields, { named, reader }: At): StepBody | undefined {
  const { problems } = reader;
  const what = `step '${named.name}'`;
  const called = readName(fields.get('call')?.value, `${what}: call`, problems);
  const args = readArguments(fields.get('args')?.value, { named, reader });
  const result = readVariable(fields.get('result')?.value, `${what}: result`, problems);
  if (called === undefined) return undefined;
  return { kind: 'call', ...called, args, ...(result === undefined ? {} : { result }) };
}

function readArguments(tree: Tree | undefined, { named, reader: { problems } }: At): Arguments {
  if (tree?.kind === 'list') {
    return { kind: 'positional', items: tree.items.map((item) => readTemplate(item, problems)) };
  }
  if (tree?.kind === 'map') {
    const entries = tree.entries.map(({ key, value }): NamedArgument => ({
      name: plainText(key.value),
      value: readTemplate(value, problems),
      position: key.position,
    }));
    return { kind: 'named', entries };
  }
  // `args:` with nothing behind it says that there are none.
  if (tree !== undefined && tree.value !== null)
    problems.error(tree.position, `step '${named.name}': args is a map of names and values, or a list`);
  return { kind: 'named', entries: [] };
}
