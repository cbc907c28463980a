interface Flight<T> {
  running: Promise<unknown>;
  /** Begins when the running one has ended. */
  next?: Promise<T>;
}

/**
 * Work that several ask for with the same key at the same time is done once for all of them. It always begins after it was asked
 * for, so that everybody sees what was there before: who comes while one is under way waits for the next.
 */
export function joinAlike<T>(): (key: string, work: () => Promise<T>) => Promise<T> {
  const flights = new Map<string, Flight<T>>();

  function begin(key: string, work: () => Promise<T>): Promise<T> {
    const result = work();
    const flight: Flight<T> = { running: result };
    flights.set(key, flight);
    const ended = () => {
      if (flights.get(key) === flight && flight.next === undefined) flights.delete(key);
    };
    result.then(ended, ended);
    return result;
  }

  return (key, work) => {
    const flight = flights.get(key);
    if (flight === undefined) return begin(key, work);
    flight.next ??= flight.running.then(
      () => begin(key, work),
      () => begin(key, work),
    );
    return flight.next;
  };
}
