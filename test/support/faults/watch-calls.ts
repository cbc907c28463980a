import childProcess, { type ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import type { Around } from './injector.ts';

/** The same port; every call of a method goes through `around`. */
export function watchPort<T extends object>(name: string, port: T, around: Around): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown =>
        around(`${name}.${String(key)}`, () => Reflect.apply(value, target, args) as unknown);
    },
  });
}

/** Every HTTP request that this process makes from now on: GitHub, the model, the attempts API, signed URLs. */
export function watchFetch(around: Around): void {
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? request?.method ?? 'GET';
    return around(`${method.toUpperCase()} ${shapeOf(url.pathname)}`, () => real(input, init));
  };
}

/** What a run's id follows: one id in fourteen has no digit. */
const BEFORE_A_RUN = ['runs', 'artifacts', 'uploads'];

/** Ids, numbers and hashes differ from run to run; the same call has the same shape. */
export function shapeOf(path: string): string {
  const segments = path.split('/');
  const isId = (segment: string, at: number): boolean =>
    (/\d/.test(segment) && segment !== 'v1') || BEFORE_A_RUN.includes(segments[at - 1] ?? '');
  return segments.map((segment, at) => (isId(segment, at) ? '*' : segment)).join('/');
}

/** Every program that this process starts from now on, until it ends: git, and what agents run. */
export function watchSpawn(around: Around): void {
  const real = childProcess.spawn as (...args: unknown[]) => ChildProcess;
  const spawn = (...args: unknown[]): ChildProcess => {
    let child: ChildProcess | undefined;
    void around(`spawn ${basename(String(args[0]))}`, () => {
      const started = real(...args);
      child = started;
      return new Promise<void>((resolve) => {
        started.once('exit', () => resolve());
        started.once('error', () => resolve());
      });
    });
    if (child === undefined) throw new Error('spawn was noted and not made');
    return child;
  };
  Object.assign(childProcess, { spawn });
  syncBuiltinESMExports();
}
