import { isCollection, LineCounter, parseDocument, type Document } from 'yaml';
import { repositoryContract, type RepositoryContract } from '../../messages/repository-contract.ts';
import { PenstockError } from '../../ports/penstock-error.ts';

/** Where a repository keeps its contract; always read at the base SHA. */
export const CONTRACT_PATH = '.github/penstock.yml';
const MAX_CONTRACT_CHARS = 64_000;

/** The repository's contract, or `invalid` with every reason as `.github/penstock.yml:line:column: what is wrong`. */
export function parseContract(yamlText: string): RepositoryContract {
  if (yamlText.length > MAX_CONTRACT_CHARS)
    throw refused([`${CONTRACT_PATH}:1:1: is over ${MAX_CONTRACT_CHARS} characters`]);
  const lines = new LineCounter();
  const document = parseDocument(yamlText, { lineCounter: lines });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${CONTRACT_PATH}:${line}:${col}`;
  };
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0)
    throw refused(syntax.map((error) => `${at(error.pos[0])}: ${firstLine(error.message)}`));

  const parsed = repositoryContract.safeParse(toPlain(document, at) ?? {});
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key],
          message: `${key} is not a setting; there are ${SETTINGS}`,
        }))
      : [{ path: issue.path, message: `${issue.path.join('.') || 'the file'}: ${issue.message}` }],
  );
  throw refused(issues.map(({ path, message }) => `${at(offsetOf(document, path))}: ${message}`));
}

const SETTINGS = Object.keys(repositoryContract.shape).join(', ');

/** Expanding aliases is where a small file can become a large one; the library refuses that by throwing. */
function toPlain(document: Document, at: (offset: number) => string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw refused([`${at(0)}: ${cause instanceof Error ? cause.message : String(cause)}`]);
  }
}

function refused(reasons: string[]): PenstockError {
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  return new PenstockError('invalid', `${reasons[0]}${more}; correct it on the base branch`, { reasons });
}

/** Where the value at a path stands; for a path that is not there, where its nearest parent does. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  const keys = path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  for (let length = keys.length; length > 0; length--) {
    const node = document.getIn(keys.slice(0, length), true);
    if (hasRange(node)) return keyOffset(document, keys.slice(0, length)) ?? node.range[0];
  }
  return hasRange(document.contents) ? document.contents.range[0] : 0;
}

/** A setting is found by its name; an item of a list by itself. */
function keyOffset(document: Document, path: (string | number)[]): number | undefined {
  const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isCollection(parent)) return undefined;
  for (const item of parent.items) {
    if (typeof item !== 'object' || item === null || !('key' in item)) continue;
    const { key } = item;
    if (hasRange(key) && 'value' in key && key.value === path.at(-1)) return key.range[0];
  }
  return undefined;
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');
}
