import childProcess, { type ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import type { Counted } from './crash-point.ts';

/** The same port; every call of a method goes through `counted`. */
export function watchPort<T extends object>(name: string, port: T, counted: Counted): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown =>
        counted(`${name}.${String(key)}`, () => Reflect.apply(value, target, args) as unknown);
    },
  });
}

/** Every HTTP request that this process makes from now on: GitHub, the model, the attempts API, signed URLs. */
export function watchFetch(counted: Counted): void {
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? request?.method ?? 'GET';
    return counted(`${method.toUpperCase()} ${shapeOf(url.pathname)}`, () => real(input, init));
  };
}

/** Ids, numbers and hashes differ from run to run; the same call has the same shape. */
function shapeOf(path: string): string {
  return path
    .split('/')
    .map((segment) => (/\d/.test(segment) && segment !== 'v1' ? '*' : segment))
    .join('/');
}

/** Every program that this process starts from now on, until it ends: git, and what agents run. */
export function watchSpawn(counted: Counted): void {
  const real = childProcess.spawn as (...args: unknown[]) => ChildProcess;
  const spawn = (...args: unknown[]): ChildProcess => {
    let child: ChildProcess | undefined;
    void counted(`spawn ${basename(String(args[0]))}`, () => {
      const started = real(...args);
      child = started;
      return new Promise<void>((resolve) => {
        started.once('exit', () => resolve());
        started.once('error', () => resolve());
      });
    });
    if (child === undefined) throw new Error('spawn was counted and not made');
    return child;
  };
  Object.assign(childProcess, { spawn });
  syncBuiltinESMExports();
}
