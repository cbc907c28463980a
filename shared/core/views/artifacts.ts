import type { ArtifactKind } from '../../messages/run-view.ts';
import { blobKeys } from '../refs.ts';
import { currentAttempt, type Task } from '../task.ts';
import { hasEnded } from './task-view.ts';

/** Where an artifact's bytes are: one blob, or the chunks of an attempt's transcript. */
export interface StoredArtifact {
  id: string;
  task: string;
  generation: number;
  kind: ArtifactKind;
  mediaType: string;
  key: string | ((n: number) => string);
}

/** Everything stored of the attempts that have ended, in order of task and generation. What is listed never changes. */
export function artifactsOf(tasks: readonly Task[]): StoredArtifact[] {
  return tasks.flatMap((task) => [...transcriptsOf(task), ...resultsOf(task)]);
}

function transcriptsOf(task: Task): StoredArtifact[] {
  const ended = task.attempts.filter((attempt) => hasEnded(task, attempt));
  return ended.map(({ generation }) => ({
    ...named(task, generation, 'transcript'),
    mediaType: 'application/x-ndjson',
    key: (n) => blobKeys.transcript(task.tenant, task.run, task.id, generation, n),
  }));
}

/** A result is that of the newest attempt: the one that succeeded. */
function resultsOf(task: Task): StoredArtifact[] {
  const { result } = task;
  const generation = currentAttempt(task)?.generation;
  if (result === undefined || generation === undefined) return [];
  const text = task.kind === 'plan' ? 'application/json' : 'text/plain';
  return [
    ...(result.outputKey === undefined
      ? []
      : [{ ...named(task, generation, 'output'), mediaType: text, key: result.outputKey }]),
    ...(result.changeSet === undefined
      ? []
      : [
          {
            ...named(task, generation, 'change-set'),
            mediaType: 'application/json',
            key: result.changeSet.key,
          },
        ]),
  ];
}

function named(task: Task, generation: number, kind: ArtifactKind) {
  return { id: `${task.id}.${generation}.${kind}`, task: task.id, generation, kind };
}
