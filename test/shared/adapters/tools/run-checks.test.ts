import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPlainSandbox } from '../../../../shared/adapters/local/plain-sandbox.ts';
import { runChecks, runSetup, type CheckRequest } from '../../../../shared/adapters/tools/run-checks.ts';
import { checkResult } from '../../../../shared/messages/change-set.ts';

describe('running checks', () => {
  let root: string;
  const request = (contract: CheckRequest['contract']): CheckRequest => ({
    sandbox: createPlainSandbox(),
    workspace: { checkout: join(root, 'checkout'), home: join(root, 'home') },
    contract,
  });
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'penstock-checks-'));
    await mkdir(join(root, 'checkout'));
    await mkdir(join(root, 'home'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('runs build, lint and test in this order, all of them, and only exit code 0 passes', async () => {
    const results = await runChecks(
      request({
        test: ['echo "Tests: 3 passed, 3 total"; exit 1', 'true'],
        lint: ['echo lint >&2'],
        build: ['false'],
      }),
    );
    expect(results.map(({ exitCode, passed, summary }) => [exitCode, passed, summary])).toEqual([
      [1, false, ''],
      [0, true, ''],
      [1, false, '3 passed'],
      [0, true, ''],
    ]);
    expect(results[1]!.outputTail).toBe('lint\n');
    for (const result of results) expect(checkResult.parse(result)).toEqual(result);
  });

  it('is not green without a test command', async () => {
    for (const contract of [{}, { test: [] }, { test: [' '] }, { lint: ['true'] }]) {
      const results = await runChecks(request(contract));
      expect(results.at(-1)).toMatchObject({
        passed: false,
        exitCode: null,
        summary: expect.stringMatching(/^none: /),
      });
    }
    expect(await runChecks({ ...request({ lint: ['true'] }), kinds: ['lint'] })).toEqual([
      expect.objectContaining({ passed: true }),
    ]);
  });

  it('does not pass what was stopped at the time limit', async () => {
    const [result] = await runChecks({
      ...request({ test: ['echo "1 passing (1s)"; sleep 30'] }),
      timeoutMs: 300,
    });
    expect(result).toMatchObject({ passed: false, exitCode: null, summary: 'stopped after 0 s' });
  });

  it('keeps the end of a long output', async () => {
    const [result] = await runChecks(
      request({
        test: ['echo start; yes filler | head -c 3500000; echo "1 failed, 2 passed in 1.00s"; exit 1'],
      }),
    );
    expect(result).toMatchObject({ summary: '2 passed, 1 failed' });
    expect(result!.outputTail).toMatch(/^start\n[\s\S]*1 failed, 2 passed in 1\.00s\n$/);
    expect(result!.outputTail.length).toBeLessThan(8_000);
  });

  it('says when there were more commands than it runs', async () => {
    const results = await runChecks(
      request({ lint: Array.from({ length: 20 }, () => 'true'), test: ['true', 'true'] }),
    );
    expect(results).toHaveLength(20);
    expect(results.at(-1)).toMatchObject({
      passed: false,
      summary: '3 commands were not run: at most 19 are',
    });
  });

  it('sets up until the first failure, with a home that the tests see', async () => {
    const contract = {
      setup: ['echo installed > ~/cache', 'exit 7', 'touch never'],
      test: ['cat ~/cache; ls'],
    };
    expect((await runSetup(request(contract))).map((result) => result.exitCode)).toEqual([0, 7]);
    expect((await runChecks(request(contract)))[0]!.outputTail).toBe('installed\n');
  });
});
