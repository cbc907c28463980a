import { readFile, rename, writeFile } from 'node:fs/promises';

/** What a file holds of each todo, in this order. */
const FIELDS = ['id', 'title', 'done'];

/** Todos of a file as they stand in it; none if the file does not exist yet. */
export async function loadTodos(path) {
  return parse(path, await readText(path)).map(toRecord);
}

/** Replaces a file as a whole: after a crash there is the old one or the new one, never half of either. */
export async function saveTodos(path, todos) {
  const lines = todos.map((todo) => `\n  ${JSON.stringify(toRecord(todo))}`);
  const temporary = `${path}.tmp`;
  await writeFile(temporary, `[${lines.join(',')}\n]\n`);
  await rename(temporary, path);
}

function toRecord(todo) {
  return Object.fromEntries(FIELDS.map((field) => [field, todo[field]]));
}

async function readText(path) {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  }
}

function parse(path, text) {
  try {
    const records = JSON.parse(text);
    if (Array.isArray(records)) return records;
  } catch {
    // Told below, like any other content that is not a list.
  }
  throw new SyntaxError(`${path} does not hold a list of todos`);
}
