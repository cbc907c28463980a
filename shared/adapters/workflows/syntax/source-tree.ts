import { plainText } from '../plain-text.ts';
import {
  type Document,
  isAlias,
  isMap as isYamlMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node as YamlNode,
  parseAllDocuments,
  Scalar,
} from 'yaml';
import { isInteger64, type Value } from '../values.ts';
import type { Position } from './ast.ts';
import { SOURCE_LIMITS } from './limits.ts';
import type { Problems } from './problems.ts';

/** The source as values with places. */
export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly value: Value;
  readonly position: Position;
  /** The place of a character of the text, where the source has it in one piece; else that of the text. */
  placeOf(text: string, offset: number): Position;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly position: Position;
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: readonly TreeEntry[];
  readonly position: Position;
}

export interface TreeEntry {
  readonly key: ScalarTree;
  readonly value: Tree;
}

const START: Position = { line: 1, column: 1 };
const NO_TREE = undefined;

/** Reads YAML or JSON. What it cannot read is a problem, and what stands beside it is still read. */
export function readTree(text: string, problems: Problems): Tree | undefined {
  if (Buffer.byteLength(text) > SOURCE_LIMITS.bytes) {
    problems.error(
      START,
      `the source has more than ${SOURCE_LIMITS.bytes / 1024} KB, the most that is allowed`,
    );
    return NO_TREE;
  }
  const lines = new LineCounter();
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return line === 0 ? START : { line, column: col };
  };
  const document = parse(text, lines, problems);
  if (document === undefined) return NO_TREE;
  for (const { pos, message } of document.errors) problems.error(place(pos[0]), firstLine(message));
  const { contents } = document;
  return contents === null ? NO_TREE : createConverter({ text, place, problems })(contents, 0);
}

function parse(text: string, lineCounter: LineCounter, problems: Problems): Document | undefined {
  try {
    const options = {
      lineCounter,
      prettyErrors: false,
      intAsBigInt: true,
      stringKeys: false,
      // Compares each with each, which is seconds for thousands of keys; the converter looks for doubles instead.
      uniqueKeys: false,
      logLevel: 'silent',
    } as const;
    const documents = parseAllDocuments(text, options);
    const [first, second] = Array.isArray(documents) ? (documents as Document[]) : [];
    if (second !== undefined)
      problems.error(START, 'the source has more than one YAML document; a workflow is one');
    return first;
  } catch (error) {
    // A parser that gives up on what nobody would write, such as a thousand brackets.
    const why = error instanceof RangeError ? 'it is nested too deeply' : firstLine((error as Error).message);
    problems.error(START, `the source cannot be read: ${why}`);
    return undefined;
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

interface Source {
  text: string;
  place: (offset: number) => Position;
  problems: Problems;
}

function createConverter(source: Source): (node: YamlNode, depth: number) => Tree | undefined {
  const { place, problems } = source;

  function convert(node: YamlNode, depth: number): Tree | undefined {
    const position = place(node.range?.[0] ?? 0);
    if (depth > SOURCE_LIMITS.depth) {
      problems.error(position, `nested more than ${SOURCE_LIMITS.depth} deep`);
      return NO_TREE;
    }
    if (isAlias(node)) {
      problems.error(position, `the YAML alias *${node.source} is not implemented; write the value out`);
      return NO_TREE;
    }
    if (node.tag !== undefined && isCustom(node.tag))
      problems.error(position, `the YAML tag ${node.tag} is not implemented`);
    if (isScalar(node)) return scalarOf(source, node);
    if (isSeq(node)) {
      const items = node.items.flatMap((item) => convert((item ?? empty(node)) as YamlNode, depth + 1) ?? []);
      return { kind: 'list', items, position };
    }
    if (!isYamlMap(node)) return NO_TREE;
    const seen = new Set<string>();
    const entries = node.items.flatMap(({ key, value }): TreeEntry[] => {
      const name = convert((key ?? empty(node)) as YamlNode, depth + 1);
      if (name === undefined) return [];
      if (name.kind !== 'scalar') {
        problems.error(name.position, 'a key is text, not a list or a map');
        return [];
      }
      const text = plainText(name.value);
      if (seen.has(text)) problems.error(name.position, `a second '${text}' in the same map`);
      seen.add(text);
      const under = convert((value ?? empty(key as YamlNode)) as YamlNode, depth + 1);
      return under === undefined ? [] : [{ key: name, value: under }];
    });
    return { kind: 'map', entries, position };
  }
  return convert;
}

/** What stands where nothing does. */
function empty(beside: YamlNode): Scalar {
  const scalar = new Scalar(null);
  scalar.range = beside.range ?? null;
  return scalar;
}

/** The tags whose values the language has; `!!set` or `!!js/function` would be read as something else. */
const PLAIN_TAGS = ['str', 'int', 'float', 'bool', 'null', 'seq', 'map'].map(
  (name) => `tag:yaml.org,2002:${name}`,
);

function isCustom(tag: string): boolean {
  return !PLAIN_TAGS.includes(tag);
}

function scalarOf(source: Source, node: Scalar): ScalarTree {
  const [start, end] = node.range ?? [0, 0];
  const position = source.place(start);
  return {
    kind: 'scalar',
    value: valueOf(source, node, position),
    position,
    placeOf: (text, offset) => {
      const at = source.text.slice(start, end).indexOf(text);
      return at === -1 ? position : source.place(start + at + offset);
    },
  };
}

function valueOf({ problems }: Source, { value }: Scalar, position: Position): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') {
    if (!isInteger64(value)) problems.error(position, `${value} is not an integer of 64 bits`);
    return value;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  problems.error(position, 'this YAML value is not implemented');
  return null;
}
