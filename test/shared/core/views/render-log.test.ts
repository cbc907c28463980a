import { describe, expect, it } from '@jest/globals';
import { renderLog } from '../../../../shared/core/views/render-log.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5);

function log(...entries: object[]): string {
  return renderLog(entries.map((entry, seq) => JSON.stringify({ v: 1, seq, at, ...entry })).join('\n'));
}

describe('the log of an attempt', () => {
  it('shows what the agent said, ran and read', () => {
    const blocks = [
      { type: 'text', text: 'First I read it.\nThen I change it.' },
      { type: 'tool_use', id: '1', name: 'read_file', input: { path: 'src/a.js' } },
    ];
    const results = [{ type: 'tool_result', toolUseId: '1', content: 'no such file', isError: true }];
    const text = log(
      { kind: 'turn', turn: { role: 'assistant', blocks }, model: 'script-1' },
      {
        kind: 'tool',
        name: 'read_file',
        input: '{}',
        allowed: true,
        isError: true,
        summary: 'src/a.js',
        ms: 1_500,
      },
      { kind: 'turn', turn: { role: 'user', blocks: results } },
    );
    expect(text.split('\n')).toEqual([
      '03:04:05  ◆ script-1',
      '          First I read it.',
      '          Then I change it.',
      '          → read_file {"path":"src/a.js"}',
      '03:04:05  [read_file failed · 1.5 s] src/a.js',
      '03:04:05  ← error: no such file',
      '',
    ]);
  });

  it('says what was denied, and shows the output of a check that failed', () => {
    const result = {
      command: 'npm test',
      exitCode: 1,
      passed: false,
      summary: '1 failed',
      outputTail: 'expected 2',
      durationMs: 10,
    };
    const text = log(
      {
        kind: 'tool',
        name: 'shell',
        input: '{"command":"env"}',
        allowed: false,
        isError: true,
        summary: '',
        ms: 0,
      },
      { kind: 'checks', results: [result] },
    );
    expect(text).toContain('[shell DENIED · 0 ms] {"command":"env"}');
    expect(text).toContain('✘ npm test · 1 failed · 10 ms\n            expected 2');
  });

  it('cuts long prompts and keeps long answers', () => {
    const long = Array.from({ length: 50 }, (_, n) => `line ${n}`).join('\n');
    const said = (role: string) =>
      log({ kind: 'turn', turn: { role, blocks: [{ type: 'text', text: long }] } });
    expect(said('user')).toContain('… 38 more lines');
    expect(said('user')).not.toContain('line 12');
    expect(said('assistant')).toContain('line 49');
  });

  it('lets nothing through that moves the cursor, rings, or turns the direction of reading', () => {
    const text = log({ kind: 'note', text: 'a\u001b[2Jb\u001b]0;title\u0007c\rd\u0007e\u202ef' });
    expect(text).toBe('03:04:05  · abc\uFFFDd\uFFFDe\uFFFDf\n');
  });

  it('shows a line of another version as it is', () => {
    expect(log({ v: 9, kind: 'song' })).toContain('? {"v":9');
  });
});
