import { restore } from '../../shared/adapters/workspace/snapshot.ts';
import type { Workspace } from '../../shared/adapters/workspace/workspace.ts';
import { messageOf } from '../../shared/core/work/attempt-failures.ts';
import { resumePoint, type ResumePoint } from '../../shared/core/work/resume-point.ts';
import { transcriptLine, type TranscriptLine } from '../../shared/messages/transcript-line.ts';
import type { Attempt } from '../../shared/ports/attempt.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Job } from './job.ts';

/** Brings conversation and workspace back to where the attempt before was last known to be whole; otherwise starts clean and says why. */
export async function resumeWork(
  { attempt, transcript }: Job,
  workspace: Workspace,
): Promise<ResumePoint | undefined> {
  if (attempt.brief.resume === undefined) return undefined;
  try {
    const point = resumePoint(await fetchTranscript(attempt, attempt.brief.resume.transcriptUrls));
    if (point.checkpoint !== undefined)
      await restore(workspace, await fetchCheckpoint(attempt, point.checkpoint));
    return point;
  } catch (error) {
    if (error instanceof PenstockError && error.code === 'stale') throw error;
    await restore(workspace, new Uint8Array());
    transcript.write({
      kind: 'note',
      text: `Starts clean, the attempt before cannot be continued: ${messageOf(error)}`,
    });
    return undefined;
  }
}

async function fetchTranscript(attempt: Attempt, urls: string[]): Promise<TranscriptLine[]> {
  const lines: TranscriptLine[] = [];
  for (const url of urls) {
    const text = new TextDecoder().decode(await attempt.fetch(url));
    for (const line of text.split('\n')) if (line !== '') lines.push(transcriptLine.parse(JSON.parse(line)));
  }
  return lines;
}

async function fetchCheckpoint(attempt: Attempt, key: string): Promise<Uint8Array> {
  const url = attempt.brief.resume?.checkpoints?.[key];
  if (url === undefined) throw new PenstockError('not_found', `there is no URL for checkpoint ${key}`);
  return attempt.fetch(url);
}
