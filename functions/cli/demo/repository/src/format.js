/** One line for a terminal, such as `[x] 1 Buy milk`. */
export function formatTodo({ id, title, done }) {
  return `[${done ? 'x' : ' '}] ${id} ${title}`;
}

/** One line for each todo. */
export function formatTodos(todos) {
  return todos.length === 0 ? 'nothing to do' : todos.map((todo) => formatTodo(todo)).join('\n');
}
