import { transcriptLine, type TranscriptLine } from '../../../shared/messages/transcript-line.ts';
import type { ApiClient } from './api-client.ts';
import { readLines } from './event-stream.ts';
import { openAnswer } from './read-answer.ts';

export interface AttemptName {
  run: string;
  task: string;
  generation: number;
}

/** A line as it came, and as this program reads it; of a kind that it does not know, only as it came. */
export interface LoggedLine {
  text: string;
  line: TranscriptLine | undefined;
}

/** The transcript of an attempt: what is there, or with `follow` until the attempt ends. */
export async function* readTranscript(
  client: ApiClient,
  attempt: AttemptName,
  options: { follow: boolean; signal?: AbortSignal },
): AsyncGenerator<LoggedLine> {
  const { run, task, generation } = attempt;
  const query = options.follow ? '?follow=1' : '';
  const init = {
    headers: { accept: 'application/x-ndjson' },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const response = await openAnswer(
    client,
    `/api/runs/${run}/tasks/${task}/attempts/${generation}/transcript${query}`,
    init,
  );
  if (response.body === null) return;
  for await (const text of readLines(response.body)) {
    if (text !== '') yield { text, line: parseLine(text) };
  }
}

function parseLine(text: string): TranscriptLine | undefined {
  try {
    return transcriptLine.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
