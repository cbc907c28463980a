import { readFileSync } from 'node:fs';

/** A literal of Terraform's language. What is no literal (a reference, a call, a template) is its text in `{ text }`. */
export type Hcl = string | number | boolean | null | Hcl[] | { [name: string]: Hcl };

/** The value of one name of a `locals` block. Knows literals, and comments between them; not the rest of the language. */
export function readLocal(file: string, name: string): Hcl {
  const source = readFileSync(file, 'utf8');
  const found = new RegExp(`^  ${name} += `, 'm').exec(source);
  if (found === null) throw new Error(`there is no local ${name} in ${file}`);
  return createReader(source, found.index + found[0].length).value();
}

function createReader(source: string, start: number) {
  let at = start;
  const skip = (): void => {
    at += /^(?:[\s,]+|#[^\n]*)*/.exec(source.slice(at))?.[0].length ?? 0;
  };
  const take = (pattern: RegExp): string | undefined => {
    const found = pattern.exec(source.slice(at))?.[0];
    at += found?.length ?? 0;
    return found;
  };

  function list(): Hcl[] {
    const items: Hcl[] = [];
    for (skip(); take(/^\]/) === undefined; skip()) items.push(value());
    return items;
  }

  function object(): Hcl {
    const members: Record<string, Hcl> = {};
    for (skip(); take(/^\}/) === undefined; skip()) {
      const name = take(/^"?[\w./-]+"?/);
      if (name === undefined || take(/^\s*=\s*/) === undefined)
        throw new Error(`not a member of an object: ${source.slice(at, at + 60)}`);
      members[name.replaceAll('"', '')] = value();
    }
    return members;
  }

  function value(): Hcl {
    if (take(/^\[/) !== undefined) return list();
    if (take(/^\{/) !== undefined) return object();
    const text = take(/^"(?:[^"\\]|\\.)*"/);
    if (text !== undefined) return JSON.parse(text) as string;
    const word = take(/^(?:\([^\n]*\)|\[[^\]\n]*\]|[^,\n[\](){}])+/)?.trim() ?? '';
    if (/^-?\d+(\.\d+)?$/.test(word)) return Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    return word === 'null' ? null : { text: word };
  }
  return { value };
}
