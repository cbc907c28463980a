import { describe, expect, it } from '@jest/globals';
import { summariseTests } from '../../../../shared/core/repository/summarise-tests.ts';

describe('the summary of a test run', () => {
  it.each([
    [
      'node --test, spec',
      'ℹ tests 3\nℹ suites 0\nℹ pass 2\nℹ fail 1\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\n',
      '2 passed, 1 failed',
    ],
    [
      'node --test, tap',
      '1..3\n# tests 3\n# suites 0\n# pass 3\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n',
      '3 passed, 1 skipped',
    ],
    [
      'jest',
      'Test Suites: 1 failed, 2 passed, 3 total\nTests:       1 failed, 12 passed, 13 total\nSnapshots:   0 total\n',
      '12 passed, 1 failed',
    ],
    [
      'jest in colour',
      '\u001b[1mTests:       \u001b[22m\u001b[1m\u001b[32m4 passed\u001b[39m\u001b[22m, 4 total\n',
      '4 passed',
    ],
    [
      'vitest',
      ' Test Files  1 failed | 1 passed (2)\n      Tests  1 failed | 12 passed (13)\n',
      '12 passed, 1 failed',
    ],
    [
      'pytest',
      '======== 1 failed, 12 passed, 2 skipped, 1 warning in 0.12s ========\n',
      '12 passed, 1 failed, 2 skipped',
    ],
    ['pytest -q', '..F\n1 failed, 2 passed in 0.02s\n', '2 passed, 1 failed'],
    ['pytest with errors', '=== 2 errors in 0.30s ===\n', '0 passed, 2 failed'],
    ['pytest without tests', '===== no tests ran in 0.01s =====\n', 'no tests ran'],
    [
      'go test -v',
      '=== RUN   TestA\n--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n    --- PASS: TestC/x (0.00s)\nFAIL\tx/y\t0.1s\n',
      '2 passed, 1 failed',
    ],
    [
      'go test',
      'ok  \tx/a\t0.123s\nok  \tx/b\t(cached)\n?   \tx/c\t[no test files]\nFAIL\tx/d\t0.2s\n',
      '2 passed, 1 failed',
    ],
    [
      'cargo test',
      'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n',
      '4 passed, 2 failed, 1 skipped',
    ],
    ['unittest', 'Ran 5 tests in 0.001s\n\nFAILED (failures=1, errors=1)\n', '3 passed, 2 failed'],
    ['mocha', '  12 passing (3s)\n  1 failing\n', '12 passed, 1 failed'],
  ])('%s', (_runner, output, expected) => expect(summariseTests(output)).toBe(expected));

  it('is empty where nothing is recognised', () => {
    for (const output of ['', 'all good', 'I have 3 passed exams', 'make: *** [test] Error 1'])
      expect(summariseTests(output)).toBe('');
  });
});
