import { describe, expect, it } from '@jest/globals';
import { formatTraceparent, parseTraceparent } from '../../../shared/ports/traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const ZEROS = '0'.repeat(32);

describe('A traceparent', () => {
  it.each([
    [`00-${traceId}-${spanId}-01`, true],
    [`00-${traceId}-${spanId}-00`, false],
    [`00-${traceId}-${spanId}-03`, true],
    [`00-${traceId}-${spanId}-fe`, false],
    [`01-${traceId}-${spanId}-01`, true],
    [`cc-${traceId}-${spanId}-01-what-comes-later`, true],
  ])('is read: %s', (text, isSampled) => {
    expect(parseTraceparent(text)).toEqual({ traceId, spanId, isSampled });
  });

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['another text', 'hello'],
    ['capitals', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['a trace of zeros', `00-${ZEROS}-${spanId}-01`],
    ['a span of zeros', `00-${traceId}-${ZEROS.slice(16)}-01`],
    ['the version that is forbidden', `ff-${traceId}-${spanId}-01`],
    ['more than version 00 has', `00-${traceId}-${spanId}-01-more`],
    ['a later version that runs on', `01-${traceId}-${spanId}-01x`],
    ['no flags', `00-${traceId}-${spanId}`],
    ['flags that are none', `00-${traceId}-${spanId}-0z`],
    ['a space before it', ` 00-${traceId}-${spanId}-01`],
    ['a line break behind it', `00-${traceId}-${spanId}-01\n`],
    ['two at once', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
    ['a short trace', `00-${traceId.slice(1)}-${spanId}-01`],
  ])('is none: %s', (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('is written as it is read', () => {
    const text = `00-${traceId}-${spanId}-01`;
    expect(formatTraceparent({ traceId, spanId, isSampled: true })).toBe(text);
    expect(formatTraceparent({ traceId, spanId, isSampled: false })).toBe(text.replace(/1$/, '0'));
  });
});
