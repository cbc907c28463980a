import { plainText } from '../plain-text.ts';
import { compileExpression } from '../expressions/compile.ts';
import type { Value } from '../values.ts';
import type { Position, Template, TemplateEntry } from './ast.ts';
import type { Problems } from './problems.ts';
import type { ScalarTree, Tree } from './source-tree.ts';

const EXPRESSION = /^\s*\$\{([\s\S]*)\}\s*$/;

/** A literal without expressions becomes its value here, once. */
export function readTemplate(tree: Tree, problems: Problems): Template {
  if (tree.kind === 'scalar') return scalarTemplate(tree, problems);
  if (tree.kind === 'list') return listTemplate(tree.items.map((item) => readTemplate(item, problems)));
  const entries = tree.entries.map(({ key, value }): TemplateEntry => ({
    key: keyTemplate(key, problems),
    value: readTemplate(value, problems),
  }));
  return mapTemplate(entries);
}

function scalarTemplate(tree: ScalarTree, problems: Problems): Template {
  const { value, position } = tree;
  if (typeof value !== 'string') return literal(value);
  const source = EXPRESSION.exec(value)?.[1];
  if (source !== undefined) return expressionTemplate(tree, source, problems);
  if (value.includes('${')) {
    problems.unverified(
      position,
      '${…} is an expression only when nothing stands around it; this is taken as plain text',
    );
  }
  return literal(value);
}

/** The name of a key: integers and the like are their text. */
function keyTemplate(tree: ScalarTree, problems: Problems): Template {
  return typeof tree.value === 'string' ? scalarTemplate(tree, problems) : literal(plainText(tree.value));
}

function expressionTemplate(tree: ScalarTree, source: string, problems: Problems): Template {
  const compiled = compileExpression(source);
  if (compiled.ok) {
    const place = (offset: number): Position => tree.placeOf(source, offset);
    return { kind: 'expression', expression: compiled.expression, place };
  }
  problems.error(tree.placeOf(source, compiled.offset), compiled.message);
  return literal(null);
}

function literal(value: Value): Template {
  return { kind: 'literal', value };
}

function listTemplate(items: Template[]): Template {
  const values = items.flatMap((item) => (item.kind === 'literal' ? [item.value] : []));
  if (values.length === items.length) return literal(values);
  return { kind: 'list', items, isPure: items.every(isPure) };
}

function mapTemplate(entries: TemplateEntry[]): Template {
  const pairs = entries.flatMap(({ key, value }): [string, Value][] =>
    key.kind === 'literal' && value.kind === 'literal' ? [[plainText(key.value), value.value]] : [],
  );
  if (pairs.length === entries.length) return literal(new Map(pairs));
  return { kind: 'map', entries, isPure: entries.every(({ key, value }) => isPure(key) && isPure(value)) };
}

/** Whether evaluating it never suspends. */
export function isPure(template: Template): boolean {
  if (template.kind === 'literal') return true;
  return template.kind === 'expression' ? template.expression.isPure : template.isPure;
}

/** Every expression inside. */
export function expressionsOf(template: Template): Extract<Template, { kind: 'expression' }>[] {
  if (template.kind === 'literal') return [];
  if (template.kind === 'expression') return [template];
  if (template.kind === 'list') return template.items.flatMap(expressionsOf);
  return template.entries.flatMap(({ key, value }) => [...expressionsOf(key), ...expressionsOf(value)]);
}
