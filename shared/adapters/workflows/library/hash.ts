import { createHash, createHmac } from 'node:crypto';
import { valueError } from '../errors.ts';
import { define, type LibraryFunction } from './define.ts';

const ALGORITHMS: ReadonlyMap<string, string> = new Map(
  ['MD5', 'SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512'].map((name) => [name, name.toLowerCase()]),
);

/** https://cloud.google.com/workflows/docs/reference/stdlib/hash/compute_checksum and `compute_hmac`. */
export const HASH_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'hash.compute_checksum',
    [
      ['data', 'bytes'],
      ['algorithm', 'string'],
    ],
    ([data, algorithm]) => new Uint8Array(createHash(nodeName(algorithm)).update(data).digest()),
  ),
  define(
    'hash.compute_hmac',
    [
      ['key', 'bytes'],
      ['data', 'bytes'],
      ['algorithm', 'string'],
    ],
    ([key, data, algorithm]) => new Uint8Array(createHmac(nodeName(algorithm), key).update(data).digest()),
  ),
];

function nodeName(algorithm: string): string {
  const name = ALGORITHMS.get(algorithm);
  if (name !== undefined) return name;
  throw valueError(`${JSON.stringify(algorithm)} is not one of ${[...ALGORITHMS.keys()].join(', ')}`);
}
