import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTodo, formatTodos } from '../src/format.js';

test('shows box, id and title', () => {
  assert.equal(formatTodo({ id: 1, title: 'Buy milk', done: true }), '[x] 1 Buy milk');
  assert.equal(formatTodo({ id: 2, title: 'Pay rent', done: false }), '[ ] 2 Pay rent');
});

test('shows one todo per line, and says when there is none', () => {
  const todos = [
    { id: 1, title: 'Buy milk', done: true },
    { id: 2, title: 'Pay rent', done: false },
  ];
  assert.equal(formatTodos(todos), '[x] 1 Buy milk\n[ ] 2 Pay rent');
  assert.equal(formatTodos([]), 'nothing to do');
});
