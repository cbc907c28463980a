import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { loadTodos, saveTodos } from '../src/storage.js';

let folder;
let path;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'todo-'));
  path = join(folder, 'todos.json');
});

afterEach(() => rm(folder, { recursive: true }));

test('finds no todos where there is no file yet', async () => {
  assert.deepEqual(await loadTodos(path), []);
});

test('writes one todo per line and leaves nothing else behind', async () => {
  await saveTodos(path, [
    { id: 1, title: 'Buy milk', done: true },
    { id: 2, title: 'Pay rent', done: false },
  ]);
  const text = '[\n  {"id":1,"title":"Buy milk","done":true},\n  {"id":2,"title":"Pay rent","done":false}\n]\n';
  assert.equal(await readFile(path, 'utf8'), text);
  assert.deepEqual(await readdir(folder), ['todos.json']);
});

test('loads a file of release 1.0', async () => {
  await writeFile(path, '[{"id":1,"title":"Buy milk","done":true}]');
  assert.deepEqual(await loadTodos(path), [{ id: 1, title: 'Buy milk', done: true }]);
});

test('names a file that holds no list', async () => {
  await writeFile(path, '{"id":1');
  await assert.rejects(loadTodos(path), { name: 'SyntaxError', message: `${path} does not hold a list of todos` });
});
