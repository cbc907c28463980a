import { describe, expect, it } from '@jest/globals';
import { fingerprintOf } from '../../../../shared/adapters/script/conversation.ts';

/** A conversation in which a test run has failed in the workspace of one attempt. */
function after(output: string): Parameters<typeof fingerprintOf>[0] {
  return {
    system: 'Agent: backend_developer',
    tools: [],
    turns: [
      { role: 'assistant', blocks: [{ type: 'tool_use', id: 't1', name: 'run_tests', input: {} }] },
      { role: 'user', blocks: [{ type: 'tool_result', toolUseId: 't1', content: output, isError: false }] },
    ],
  };
}

const failing = (folder: string, actual: number) =>
  `actual: ${actual}\n  at TestContext.<anonymous> (file://${folder}/test/storage.test.js:12:10)`;

describe('the fingerprint of a conversation', () => {
  it('is the same wherever an attempt has its workspace', () => {
    const here = failing('/home/dana/app/.penstock/run-1a2b3c/jobs/7f3ab2cd-storage-1/workspace/app', 5);
    const there = failing('/tmp/data/jobs/zz91k2mm-storage-2/workspace/app', 5);
    expect(fingerprintOf(after(here))).toBe(fingerprintOf(after(there)));
  });

  it('differs when the tests say something else', () => {
    const folder = '/tmp/data/jobs/zz91k2mm-storage-2/workspace/app';
    expect(fingerprintOf(after(failing(folder, 5)))).not.toBe(fingerprintOf(after(failing(folder, 6))));
  });
});
