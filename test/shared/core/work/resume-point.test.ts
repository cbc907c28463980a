import { describe, expect, it } from '@jest/globals';
import { continuationNote, resumePoint } from '../../../../shared/core/work/resume-point.ts';
import type { TranscriptEntry, TranscriptLine } from '../../../../shared/messages/transcript-line.ts';
import { calls, says } from '../../../support/work/queued-model.ts';
import { echoTool, startWorker } from '../../../support/work/run-worker.ts';

function numbered(entries: TranscriptEntry[]): TranscriptLine[] {
  return entries.map((entry, seq) => ({ v: 1, seq, at: 0, ...entry }));
}

const user = (text: string): TranscriptEntry => ({
  kind: 'turn',
  turn: { role: 'user', blocks: [{ type: 'text', text }] },
});
const agent = (text: string): TranscriptEntry => ({
  kind: 'turn',
  turn: { role: 'assistant', blocks: [{ type: 'text', text }] },
});
const tool = (name: string, allowed = true): TranscriptEntry => ({
  kind: 'tool',
  name,
  input: '{}',
  allowed,
  isError: false,
  summary: '',
  ms: 1,
});
const saved = (blob: string): TranscriptEntry => ({ kind: 'checkpoint', blob });
const note = (text: string): TranscriptEntry => ({ kind: 'note', text });

function point(...generations: TranscriptEntry[][]): [texts: string, checkpoint: string | undefined] {
  const { turns, checkpoint } = resumePoint(generations.flatMap(numbered));
  const texts = turns.map(({ blocks }) =>
    blocks.map((block) => (block.type === 'text' ? block.text : block.type)).join(),
  );
  return [texts.join(' '), checkpoint];
}

describe('resumePoint', () => {
  it('is the start of an empty transcript', () => {
    expect(point([])).toEqual(['', undefined]);
  });

  it('drops what the agent said last, and goes on from the last user turn', () => {
    expect(point([user('u1'), agent('a1'), tool('read_file'), user('u2'), agent('a2')])).toEqual([
      'u1 a1 u2',
      undefined,
    ]);
  });

  it('does not go on behind changes of files that no checkpoint has', () => {
    const turns = [user('u1'), agent('a1'), tool('edit_file'), user('u2')];
    expect(point(turns)).toEqual(['u1', undefined]);
    expect(point([...turns, saved('c1')])).toEqual(['u1 a1 u2', 'c1']);
    expect(
      point([
        ...turns,
        saved('c1'),
        agent('a2'),
        tool('shell'),
        user('u3'),
        agent('a3'),
        tool('read_file'),
        user('u4'),
      ]),
    ).toEqual(['u1 a1 u2', 'c1']);
    expect(point([...turns, saved('c1'), agent('a2'), tool('search'), user('u3')])).toEqual([
      'u1 a1 u2 a2 u3',
      'c1',
    ]);
  });

  it('counts a tool that it does not know as one that changes files, and one that was refused as none', () => {
    expect(point([user('u1'), agent('a1'), tool('mcp_database'), user('u2')])).toEqual(['u1', undefined]);
    expect(point([user('u1'), agent('a1'), tool('shell', false), user('u2')])).toEqual([
      'u1 a1 u2',
      undefined,
    ]);
  });

  it('follows a chain of attempts', () => {
    const first = [
      note('x'),
      user('u1'),
      agent('a1'),
      tool('edit_file'),
      user('u2'),
      saved('c1'),
      agent('lost'),
    ];
    const second = [
      note('x'),
      note(continuationNote(1, 3)),
      agent('a2'),
      tool('edit_file'),
      user('u3'),
      saved('c2'),
      agent('lost'),
    ];
    expect(point(first, second)).toEqual(['u1 a1 u2 a2 u3', 'c2']);
    expect(point(first, second.slice(0, 4))).toEqual(['u1 a1 u2', 'c1']);
    expect(point(first, second.slice(0, 2))).toEqual(['u1 a1 u2', 'c1']);
  });

  it('forgets what was before an attempt that began clean', () => {
    expect(point([user('u1'), agent('a1'), user('u2')], [note('x'), user('v1')])).toEqual(['v1', undefined]);
  });

  it('is no point at all where the turns before are missing', () => {
    expect(point([note(continuationNote(1, 3)), agent('a2'), tool('read_file'), user('u3')])).toEqual([
      '',
      undefined,
    ]);
  });
});

describe('an attempt that was cut anywhere', () => {
  it('goes on to the same end from every line of its transcript, with conversation and files in agreement', async () => {
    const whole = await attemptOnCounter([]);
    expect(whole.count).toBe(3);
    expect(whole.lines.length).toBeGreaterThan(15);
    for (let cut = 0; cut <= whole.lines.length; cut += 1) {
      const next = await attemptOnCounter(whole.lines.slice(0, cut));
      expect({ cut, count: next.count, summary: next.summary }).toEqual({
        cut,
        count: 3,
        summary: 'counted to 3',
      });
      const twice = await attemptOnCounter([
        ...whole.lines.slice(0, cut),
        ...next.lines.slice(0, Math.floor(next.lines.length / 2)),
      ]);
      expect({ cut, count: twice.count }).toEqual({ cut, count: 3 });
    }
  });
});

/** Files are one number; each `edit_file` adds 1, and the model goes on as long as the last result is below 3. */
async function attemptOnCounter(before: TranscriptLine[]) {
  const resumed = resumePoint(before);
  let count = Number(resumed.checkpoint ?? 0);
  const reply = ({ turns }: { turns: unknown[] }) => {
    const known = heard(turns);
    expect(known).toBe(count);
    if (known < 3) return calls(['read_file', { path: 'n' }], ['edit_file', { n: known }]);
    return says(`counted to ${known}`);
  };
  const run = startWorker({
    replies: Array.from({ length: 8 }, () => reply),
    brief: before.length === 0 ? {} : { resume: { transcriptUrls: [], generation: 1 } },
    bench: {
      prepare: async () => ({ tools: tools(), resumed }),
      afterTools: async () => context?.write({ kind: 'checkpoint', blob: String(count) }),
    },
    onContext: (transcript) => void (context = transcript),
  });
  function tools() {
    return [
      echoTool(),
      echoTool('edit_file', async () => ({ content: `count is ${(count += 1)}`, isError: false })),
    ];
  }
  let context: { write(entry: TranscriptEntry): void } | undefined;
  const result = await run.result;
  const summary =
    result !== 'stopped' && result.outcome === 'succeeded' ? result.summary : JSON.stringify(result);
  return { lines: run.attempt.lines(), count, summary };
}

/** What the conversation says last of the count. */
function heard(turns: unknown): number {
  return Number(/.*count is (\d)/.exec(JSON.stringify(turns))?.[1] ?? 0);
}
