import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTodoList } from '../src/todo.js';

const titles = (todos) => todos.map(({ title }) => title);

test('numbers todos in the order of adding', () => {
  const list = createTodoList();
  assert.equal(list.add('Buy milk').id, 1);
  assert.equal(list.add('Pay rent').id, 2);
  assert.deepEqual(titles(list.list()), ['Buy milk', 'Pay rent']);
});

test('trims titles and refuses empty ones', () => {
  const list = createTodoList();
  assert.equal(list.add('  Buy milk ').title, 'Buy milk');
  assert.throws(() => list.add('  '), { name: 'TypeError', message: 'a todo needs a title' });
});

test('completes a todo', () => {
  const list = createTodoList([{ id: 7, title: 'Buy milk', done: false }]);
  assert.equal(list.complete(7).done, true);
  assert.deepEqual(titles(list.list({ done: true })), ['Buy milk']);
  assert.deepEqual(list.list({ done: false }), []);
});

test('removes a todo and does not use its id again', () => {
  const list = createTodoList();
  list.remove(list.add('Buy milk').id);
  assert.equal(list.add('Pay rent').id, 2);
  assert.throws(() => list.remove(1), { name: 'RangeError', message: 'there is no todo 1' });
});

test('hands out copies', () => {
  const list = createTodoList();
  list.add('Buy milk').title = 'Sell milk';
  assert.deepEqual(titles(list.list()), ['Buy milk']);
});
