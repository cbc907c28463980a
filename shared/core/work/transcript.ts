import type { TranscriptEntry, TranscriptLine } from '../../messages/transcript-line.ts';
import type { Attempt } from '../../ports/attempt.ts';
import type { Clock } from '../../ports/clock.ts';
import { CHUNK_AGE_MS, CHUNK_BYTES, CHUNK_LINES } from './limits.ts';
import { redactLine, type Redact } from './redact-line.ts';

/** Everything an attempt says, runs and reads, on its way to the platform in numbered chunks. */
export interface Transcript {
  write(entry: TranscriptEntry): void;
  /** Resolves when all that was written is durable; throws what the platform said. */
  flush(): Promise<void>;
  /** Sends the rest and stops the timer. */
  close(): Promise<void>;
}

export interface TranscriptConfig {
  attempt: Pick<Attempt, 'log'>;
  clock: Clock;
  redact: Redact;
}

export function createTranscript({ attempt, clock, redact }: TranscriptConfig): Transcript {
  const waiting: { line: TranscriptLine; bytes: number }[] = [];
  const timer = new AbortController();
  // A chunk whose sending failed may have been stored all the same: it is sent again as it was, under its number.
  let unsent: TranscriptLine[] = [];
  let chunk = 0;
  let seq = 0;
  let waitingBytes = 0;
  let isTimerSet = false;
  let sending: Promise<void> = Promise.resolve();

  async function sendAll(): Promise<void> {
    for (;;) {
      if (unsent.length === 0) unsent = takeChunk();
      if (unsent.length === 0) return;
      await attempt.log(chunk, unsent);
      unsent = [];
      chunk += 1;
    }
  }

  function takeChunk(): TranscriptLine[] {
    const lines: TranscriptLine[] = [];
    let bytes = 0;
    for (let next = waiting[0]; next !== undefined && lines.length < CHUNK_LINES; next = waiting[0]) {
      if (lines.length > 0 && bytes + next.bytes > CHUNK_BYTES) break;
      bytes += next.bytes;
      waitingBytes -= next.bytes;
      lines.push(next.line);
      waiting.shift();
    }
    return lines;
  }

  function flush(): Promise<void> {
    const sent = sending.then(sendAll);
    sending = sent.catch(() => undefined);
    return sent;
  }

  /** What fails here is tried again, and reported, by the next flush. */
  function flushSoon(): void {
    flush().catch(() => undefined);
  }

  async function sendAfterAWhile(): Promise<void> {
    if (isTimerSet || timer.signal.aborted) return;
    isTimerSet = true;
    try {
      await clock.sleep(CHUNK_AGE_MS, timer.signal);
    } catch {
      return;
    }
    isTimerSet = false;
    flushSoon();
  }

  return {
    write(entry) {
      const line = redactLine({ v: 1, seq, at: clock.now(), ...entry }, redact);
      seq += 1;
      const bytes = Buffer.byteLength(JSON.stringify(line)) + 1;
      waiting.push({ line, bytes });
      waitingBytes += bytes;
      if (waitingBytes >= CHUNK_BYTES) flushSoon();
      else void sendAfterAWhile();
    },
    flush,
    async close() {
      timer.abort();
      await flush();
    },
  };
}
