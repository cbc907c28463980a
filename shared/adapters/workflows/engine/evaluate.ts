import { plainText } from '../plain-text.ts';
import { indexError, keyError, typeError } from '../errors.ts';
import type { Template } from '../syntax/ast.ts';
import { isPure } from '../syntax/template.ts';
import { isMap, typeName, type Value } from '../values.ts';
import type { Frame } from './frame.ts';

/** The value of what is written. Only an expression that may suspend makes it a promise. */
export function valueOf(template: Template, frame: Frame): Value | Promise<Value> {
  return isPure(template) ? evaluate(template, frame) : evaluateAsync(template, frame);
}

function evaluate(template: Template, frame: Frame): Value {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return template.expression.evaluate(frame);
    case 'list':
      return template.items.map((item) => evaluate(item, frame));
    default:
      return new Map(
        template.entries.map(({ key, value }) => [keyOf(evaluate(key, frame)), evaluate(value, frame)]),
      );
  }
}

async function evaluateAsync(template: Template, frame: Frame): Promise<Value> {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return await template.expression.evaluateAsync(frame);
    case 'list': {
      const items: Value[] = [];
      for (const item of template.items) items.push(await evaluateAsync(item, frame));
      return items;
    }
    default: {
      const entries: [string, Value][] = [];
      for (const { key, value } of template.entries)
        entries.push([keyOf(await evaluateAsync(key, frame)), await evaluateAsync(value, frame)]);
      return new Map(entries);
    }
  }
}

function keyOf(value: Value): string {
  if (typeof value === 'string' || typeof value === 'bigint') return plainText(value);
  throw typeError(`the key of a map must be a string, got ${typeName(value)}`);
}

/**
 * The container with one place changed. It is another one: lists and maps are values, and no two variables share one.
 *
 * @throws Raised TypeError, KeyError or IndexError for a place that is not there
 */
export function withPlace(container: Value, [key, ...rest]: readonly Value[], value: Value): Value {
  if (key === undefined) return value;
  if (isMap(container)) {
    const name = keyOf(key);
    const inner = container.get(name);
    if (inner === undefined && rest.length > 0) throw keyError(name);
    return new Map(container).set(name, withPlace(inner ?? null, rest, value));
  }
  if (!Array.isArray(container)) throw typeError(`cannot set a place in a ${typeName(container)}`);
  if (typeof key !== 'bigint')
    throw typeError(`the index of a list must be an integer, got ${typeName(key)}`);
  const inner = key < 0n ? undefined : container[Number(key)];
  if (inner === undefined) throw indexError(`index ${key} is outside a list of ${container.length}`);
  return container.with(Number(key), withPlace(inner, rest, value));
}
