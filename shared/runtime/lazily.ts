import { loadOnce } from './load-once.ts';

type Methods<T> = {
  [K in keyof T]-?: T[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof T];

/**
 * An object that is loaded by the first call of one of its methods, so that a process listens before it has read a library that it
 * may never need. A load that fails is begun again by the next call.
 */
export function lazily<T extends object, K extends Methods<T>>(
  load: () => Promise<T>,
  methods: readonly K[],
): Pick<T, K> {
  return whichever(loadOnce(load), methods);
}

/** An object whose every call goes to the one that is to be had at that moment: what it is made of may change, as a key does. */
export function whichever<T extends object, K extends Methods<T>>(
  find: () => Promise<T>,
  methods: readonly K[],
): Pick<T, K> {
  const call =
    (name: K) =>
    async (...args: unknown[]) =>
      ((await find()) as Record<K, (...given: unknown[]) => Promise<unknown>>)[name](...args);
  return Object.fromEntries(methods.map((name) => [name, call(name)])) as Pick<T, K>;
}
