import { transcriptLine, type TranscriptLine } from '../../messages/transcript-line.ts';

export type Redact = (text: string) => string;

/** A transcript line without secrets, in every string that it holds. */
export function redactLine(line: TranscriptLine, redact: Redact): TranscriptLine {
  const parsed = transcriptLine.safeParse(redactDeep(line, redact));
  if (!parsed.success) return unreadable(line);
  const clean = parsed.data;
  if (line.kind !== 'turn' || line.turn.raw === undefined || clean.kind !== 'turn') return clean;
  // Provider content is signed or checked by its provider: a changed one would be refused, so it is left out and the typed blocks stand in for it.
  const { raw, ...turn } = line.turn;
  const isUntouched = JSON.stringify(redactDeep(raw, redact)) === JSON.stringify(raw);
  return { ...clean, turn: { ...turn, blocks: clean.turn.blocks, ...(isUntouched ? { raw } : {}) } };
}

/** Such as an output that its redactions made too long: the record loses one line and says so, the attempt goes on. */
function unreadable({ v, seq, at, kind }: TranscriptLine): TranscriptLine {
  return {
    v,
    seq,
    at,
    kind: 'note',
    text: `A line of kind ${kind} was left out: it has no valid shape after redaction.`,
  };
}

/** Every string of a value without secrets. */
export function redactDeep(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactDeep(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    // A signature is random by nature and looks like a key, but opens nothing.
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'signature' ? (item as unknown) : redactNamed(key, item, redact),
    ]),
  );
}

/** Some secrets are known only by the name that stands before them. */
function redactNamed(key: string, item: unknown, redact: Redact): unknown {
  if (typeof item !== 'string') return redactDeep(item, redact);
  const assignment = `${key}=${item}`;
  const isTold = redact(item) === item && redact(assignment) !== assignment;
  return isTold ? '[redacted]' : redact(item);
}
