import { describe, expect, it } from '@jest/globals';
import { CHUNK_BYTES } from '../../../../shared/core/work/limits.ts';
import { createTranscript } from '../../../../shared/core/work/transcript.ts';
import type { TranscriptLine } from '../../../../shared/messages/transcript-line.ts';
import { createManualClock, settle } from '../../../support/work/manual-clock.ts';

function open(redact = (text: string) => text) {
  const clock = createManualClock();
  const sent: { n: number; lines: TranscriptLine[] }[] = [];
  const failures: Error[] = [];
  const log = async (n: number, lines: TranscriptLine[]): Promise<void> => {
    sent.push({ n, lines: [...lines] });
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  return { clock, sent, failures, transcript: createTranscript({ attempt: { log }, clock, redact }) };
}

const note = (text: string) => ({ kind: 'note', text }) as const;

function turn(text: string, signature: string) {
  const content = [{ type: 'thinking', thinking: text, signature }];
  return {
    role: 'assistant' as const,
    blocks: [{ type: 'text' as const, text }],
    raw: { provider: 'anthropic' as const, content },
  };
}

describe('createTranscript', () => {
  it('sends what is there after two seconds, numbered in order', async () => {
    const { transcript, clock, sent } = open();
    transcript.write(note('a'));
    transcript.write(note('b'));
    await clock.advance(1_999);
    expect(sent).toEqual([]);
    await clock.advance(1);
    transcript.write(note('c'));
    await clock.advance(2_000);
    expect(sent.map(({ n, lines }) => [n, lines.map(({ seq }) => seq)])).toEqual([
      [0, [0, 1]],
      [1, [2]],
    ]);
    await transcript.close();
  });

  it('sends a chunk as soon as it is full, and none that is larger unless one line is', async () => {
    const { transcript, sent } = open();
    for (let n = 0; n < 10; n += 1) transcript.write(note('x'.repeat(20_000)));
    transcript.write(note('y'.repeat(CHUNK_BYTES * 2)));
    await transcript.close();
    const sizes = sent.map(({ lines }) => Buffer.byteLength(JSON.stringify(lines)));
    expect(sizes.slice(0, -1).every((size) => size <= CHUNK_BYTES + 100)).toBe(true);
    expect(sent.at(-1)?.lines).toHaveLength(1);
    expect(sent.flatMap(({ lines }) => lines.map(({ seq }) => seq))).toEqual(
      Array.from({ length: 11 }, (_, n) => n),
    );
  });

  it('sends a chunk that failed again as it was, under its number, although more was written meanwhile', async () => {
    const { transcript, sent, failures } = open();
    failures.push(new Error('lost on the way'));
    transcript.write(note('a'));
    await expect(transcript.flush()).rejects.toThrow('lost on the way');
    transcript.write(note('b'));
    await transcript.flush();
    expect(sent.map(({ n, lines }) => [n, lines.map(({ seq }) => seq)])).toEqual([
      [0, [0]],
      [0, [0]],
      [1, [1]],
    ]);
  });

  it('sends nothing twice when it is flushed from two sides', async () => {
    const { transcript, sent } = open();
    transcript.write(note('a'));
    await Promise.all([transcript.flush(), transcript.flush()]);
    await settle();
    expect(sent).toHaveLength(1);
  });

  it('keeps provider content only where redaction leaves it as it is, signatures apart', async () => {
    const { transcript, sent } = open((text) => text.replaceAll('secret', '***'));
    transcript.write({ kind: 'turn', turn: turn('fine', 'a-secret-signature') });
    transcript.write({ kind: 'turn', turn: turn('a secret', 's') });
    await transcript.close();
    const [kept, dropped] = sent.flatMap(({ lines }) => lines);
    expect(JSON.stringify(kept)).toContain('a-secret-signature');
    expect(dropped).toMatchObject({ turn: { blocks: [{ text: 'a ***' }] } });
    expect(JSON.stringify(dropped)).not.toContain('raw');
  });

  it('says so where redaction leaves a line without a valid shape', async () => {
    const { transcript, sent } = open((text) => (text === 'tail' ? 'x'.repeat(9_000) : text));
    const result = {
      command: 'c',
      exitCode: 0,
      passed: true,
      summary: '',
      outputTail: 'tail',
      durationMs: 1,
    };
    transcript.write({ kind: 'checks', results: [result] });
    await transcript.close();
    expect(sent[0]?.lines).toMatchObject([
      { seq: 0, kind: 'note', text: expect.stringContaining('kind checks was left out') },
    ]);
  });
});
