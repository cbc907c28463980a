import { describe, expect, it } from '@jest/globals';
import {
  connectionError,
  connectionFailedError,
  httpError,
  indexError,
  keyError,
  operationError,
  Raised,
  recursionError,
  resourceLimitError,
  timeoutError,
  typeError,
  unhandledBranchError,
  zeroDivisionError,
} from '../../../../shared/adapters/workflows/errors.ts';
import { toPlain } from '../../../../shared/adapters/workflows/values.ts';

describe('an error map (spec §6)', () => {
  it.each<[Raised, string, string[]]>([
    [keyError('taskCount'), 'KeyError: key not found: taskCount', ['KeyError', 'LookupError']],
    [indexError('out of range'), 'IndexError: out of range', ['IndexError', 'LookupError']],
    [typeError('no'), 'TypeError: no', ['TypeError']],
    [zeroDivisionError(), 'ZeroDivisionError: division by zero', ['ZeroDivisionError', 'ArithmeticError']],
    [timeoutError('request timed out'), 'request timed out', ['TimeoutError', 'OSError']],
    [connectionError('broke'), 'broke', ['ConnectionError', 'OSError']],
    [connectionFailedError('refused'), 'refused', ['ConnectionFailedError', 'OSError']],
    [recursionError('too deep'), 'RecursionError: too deep', ['RecursionError', 'RuntimeError']],
  ])('%s', (error, message, tags) => {
    expect(toPlain(error.value)).toEqual({ message, tags });
    expect(error.isFatal).toBe(false);
  });

  it('of an HTTP failure has code, headers and body', () => {
    const error = httpError({ code: 404, headers: new Map([['a', 'b']]), body: 'gone' });
    expect(toPlain(error.value)).toEqual({
      message: 'HTTP server responded with error code 404',
      tags: ['HttpError'],
      code: 404,
      headers: { a: 'b' },
      body: 'gone',
    });
  });

  it('of an operation has the operation or its error', () => {
    expect(toPlain(operationError('failed', { error: 'why' }).value)).toEqual({
      message: 'failed',
      tags: ['OperationError'],
      error: 'why',
    });
  });

  it('of branches lists the first hundred', () => {
    const failed = Array.from({ length: 101 }, (_, id) => ({
      id: String(id),
      context: 'c',
      payload: 'how odd!',
    }));
    const few = toPlain(unhandledBranchError(failed.slice(0, 2)).value) as { branches: unknown[] };
    const many = toPlain(unhandledBranchError(failed).value) as { branches: unknown[] };
    expect(few).toMatchObject({ tags: ['UnhandledBranchError', 'RuntimeError'], truncated: false });
    expect(few.branches).toEqual([
      { id: '0', error: { context: 'c', payload: 'how odd!' } },
      { id: '1', error: { context: 'c', payload: 'how odd!' } },
    ]);
    expect(many).toMatchObject({ truncated: true });
    expect(many.branches).toHaveLength(100);
  });

  it('of an exceeded limit cannot be caught', () => {
    expect(resourceLimitError('memory').isFatal).toBe(true);
  });
});

describe('what else is raised', () => {
  it('is any value, described by its message or itself', () => {
    expect(new Raised('Something went wrong.').message).toBe('Something went wrong.');
    expect(new Raised(new Map([['message', 'm']])).message).toBe('m');
    expect(new Raised([1n]).message).toBe('RuntimeError');
  });
});
