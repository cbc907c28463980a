/** Imported before a program of the cluster: it dies with the launcher that started it, however that one dies, and so does its group. */
const CHECK_MS = 250;
const parent = Number(new URL(import.meta.url).searchParams.get('parent'));

setInterval(() => {
  if (process.ppid === parent) return;
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // It leads no group.
  }
  process.kill(process.pid, 'SIGKILL');
}, CHECK_MS).unref();
