/**
 * @typedef {object} Todo
 * @property {number} id
 * @property {string} title
 * @property {boolean} done
 */

/**
 * A list of todos in memory. It hands out copies: changing one of them does not change the list.
 *
 * @param {Todo[]} [todos] what the list begins with, such as the result of `loadTodos`
 */
export function createTodoList(todos = []) {
  const items = todos.map((todo) => ({ ...todo }));
  let lastId = Math.max(0, ...items.map(({ id }) => id));

  function find(id) {
    const item = items.find((one) => one.id === id);
    if (item === undefined) throw new RangeError(`there is no todo ${id}`);
    return item;
  }

  return {
    /** Adds an open todo. Ids count up and are not used again. */
    add(title) {
      const trimmed = title.trim();
      if (trimmed === '') throw new TypeError('a todo needs a title');
      lastId += 1;
      const item = { id: lastId, title: trimmed, done: false };
      items.push(item);
      return { ...item };
    },

    /** Marks a todo as done. */
    complete(id) {
      const item = find(id);
      item.done = true;
      return { ...item };
    },

    /** Takes a todo off the list. */
    remove(id) {
      const item = find(id);
      items.splice(items.indexOf(item), 1);
      return { ...item };
    },

    /** Todos in the order of adding: all, or with `done` only those that are done or open. */
    list({ done } = {}) {
      return items.filter((item) => done === undefined || item.done === done).map((item) => ({ ...item }));
    },
  };
}
