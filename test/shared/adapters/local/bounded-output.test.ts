import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createBoundedOutput, cutMiddle } from '../../../../shared/adapters/local/bounded-output.ts';

describe('bounded output', () => {
  it('keeps the first and the last bytes, however they come in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 })),
        fc.integer({ min: 1, max: 60 }),
        (chunks, maxBytes) => {
          const output = createBoundedOutput(maxBytes);
          for (const chunk of chunks) output.add(chunk);
          const all = Buffer.concat(chunks);
          const head = Math.ceil(maxBytes / 2);
          const expected =
            all.length <= maxBytes
              ? all
              : Buffer.concat([all.subarray(0, head), all.subarray(all.length - (maxBytes - head))]);
          expect(output.bytes()).toEqual(expected);
          expect(output.dropped()).toBe(all.length - expected.length);
        },
      ),
    );
  });

  it('never splits a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'ü', '語', '😀'), minLength: 30 }),
        fc.integer({ min: 8, max: 29 }),
        (text, maxBytes) => {
          const [start, end] = cutMiddle(text, maxBytes).split(/\n… \d+ bytes left out …\n/);
          expect(text.startsWith(start!)).toBe(true);
          expect(text.endsWith(end!)).toBe(true);
        },
      ),
    );
  });
});
