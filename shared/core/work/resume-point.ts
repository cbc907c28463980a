import { teamToolNames, toolNames, type ToolName } from '../../messages/agent-file.ts';
import type { TranscriptLine } from '../../messages/transcript-line.ts';
import type { Turn } from '../../ports/model.ts';

/** Where the next attempt goes on: the conversation, and the workspace that belongs to it. */
export interface ResumePoint {
  /** Ends with a user turn, so every tool call in it has its result. */
  turns: Turn[];
  /** Key of the workspace's checkpoint; absent: as it was before the agent began. */
  checkpoint?: string;
}

interface Mark {
  turns: number;
  checkpoint: string | undefined;
}

const readingTools: readonly ToolName[] = ['list_files', 'read_file', 'search', 'git_diff'];

/** Whether a tool may leave the workspace different; one that is not known may. */
export function mayChangeFiles(tool: string): boolean {
  if ((teamToolNames as readonly string[]).includes(tool)) return false;
  return (
    !(toolNames as readonly string[]).includes(tool) || !(readingTools as readonly string[]).includes(tool)
  );
}

/** First line of a transcript that goes on from an earlier one, whose turns it does not repeat. */
export function continuationNote(generation: number, turns: number): string {
  return `Continues generation ${generation} after ${turns} turns.`;
}
const CONTINUATION = /^Continues generation \d+ after (\d+) turns\./;

/**
 * The last point where conversation and files are known to agree: after a complete turn that a checkpoint covers, or after which no file can have changed.
 * `lines` are the transcripts of all earlier generations in order; a generation that began clean drops what was before it.
 */
export function resumePoint(lines: TranscriptLine[]): ResumePoint {
  const start: Mark = { turns: 0, checkpoint: undefined };
  let turns: Turn[] = [];
  let marks: Mark[] = [start];
  let checkpoint: string | undefined;
  let areFilesKnown = true;
  let earlier = { turns, marks };

  function goBackTo(mark: Mark): void {
    turns = turns.slice(0, mark.turns);
    marks = [...marks.filter((other) => other.turns < mark.turns), mark];
    checkpoint = mark.checkpoint;
    areFilesKnown = true;
  }

  for (const line of lines) {
    if (line.seq === 0) {
      earlier = { turns, marks };
      goBackTo(start);
    }
    const kept = line.kind === 'note' && turns.length === 0 ? CONTINUATION.exec(line.text)?.[1] : undefined;
    if (kept !== undefined) {
      turns = earlier.turns;
      marks = earlier.marks;
      const mark = marks.findLast(({ turns: count }) => count === Number(kept));
      // Without the turns that this transcript goes on from, its own make no conversation.
      if (mark === undefined) return { turns: [] };
      goBackTo(mark);
    }
    if (line.kind === 'tool' && line.allowed && mayChangeFiles(line.name)) areFilesKnown = false;
    if (line.kind === 'turn') turns.push(turnOf(line.turn));
    if (line.kind === 'checkpoint') {
      checkpoint = line.blob;
      areFilesKnown = true;
    }
    const isComplete = turns.at(-1)?.role === 'user' && (line.kind === 'turn' || line.kind === 'checkpoint');
    if (isComplete && areFilesKnown) marks.push({ turns: turns.length, checkpoint });
  }
  const mark = marks.at(-1) ?? start;
  return {
    turns: turns.slice(0, mark.turns),
    ...(mark.checkpoint === undefined ? {} : { checkpoint: mark.checkpoint }),
  };
}

function turnOf({ raw, ...turn }: Extract<TranscriptLine, { kind: 'turn' }>['turn']): Turn {
  return raw === undefined ? turn : { ...turn, raw };
}
