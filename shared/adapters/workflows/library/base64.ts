import { valueError } from '../errors.ts';
import { define, type LibraryFunction } from './define.ts';

const ALPHABET = /^[A-Za-z0-9+/]*={0,2}$/;

/** https://cloud.google.com/workflows/docs/reference/stdlib/base64/decode and `encode`. */
export const BASE64_FUNCTIONS: readonly LibraryFunction[] = [
  define(
    'base64.decode',
    [
      ['data', 'string'],
      ['padding', 'boolean', true],
    ],
    ([data, padding]) => decode(data, padding),
  ),
  define(
    'base64.encode',
    [
      ['data', 'bytes'],
      ['padding', 'boolean', true],
    ],
    ([data, padding]) => {
      const text = Buffer.from(data).toString('base64');
      return padding ? text : text.replace(/=+$/, '');
    },
  ),
];

/** Line breaks are ignored. */
function decode(data: string, padding: boolean): Uint8Array {
  const text = data.replace(/[\r\n]/g, '');
  if (!ALPHABET.test(text)) throw valueError('base64.decode: a character is not of the Base64 alphabet');
  const isWhole = padding ? text.length % 4 === 0 : !text.includes('=') && text.length % 4 !== 1;
  if (!isWhole) throw valueError(`base64.decode: the length does not fit padding: ${padding}`);
  return new Uint8Array(Buffer.from(text, 'base64'));
}
