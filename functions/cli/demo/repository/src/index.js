export { formatTodo, formatTodos } from './format.js';
export { loadTodos, saveTodos } from './storage.js';
export { createTodoList } from './todo.js';
