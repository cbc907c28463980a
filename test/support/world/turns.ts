/** One turn of the event loop: whatever is ready goes on. Turns are the only time that passes by itself here, so a case replays. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await turn();
}
