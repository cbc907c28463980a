import type { DeadLetterView } from '../../messages/dead-letter.ts';
import type { DeadLetter, Replay } from '../dead-letter.ts';
import { isoTime } from './iso-time.ts';

/** A letter as the API shows it: without the attributes of its message and the keys of its replays. */
export function deadLetterView(id: string, letter: DeadLetter): DeadLetterView {
  const { state, error, at, replays, discarded } = letter;
  const common = {
    id,
    state,
    error,
    at: isoTime(at),
    replays: replays.map(replayView),
    ...(discarded === undefined ? {} : { discarded: { ...discarded, at: isoTime(discarded.at) } }),
  };
  if (letter.kind === 'message') {
    const { kind, topic, subscription, messageId, message, run } = letter;
    return {
      ...common,
      kind,
      topic,
      subscription,
      messageId,
      message,
      ...(run === undefined ? {} : { run }),
    };
  }
  const { kind, run, task, generation, agent, attempts, code, class: errorClass, signature } = letter;
  return {
    ...common,
    kind,
    run,
    task,
    generation,
    agent,
    attempts,
    ...(code === undefined ? {} : { code }),
    ...(errorClass === undefined ? {} : { class: errorClass }),
    ...(signature === undefined ? {} : { signature }),
  };
}

function replayView({ n, by, at, done, run }: Replay): DeadLetterView['replays'][number] {
  return { n, by, at: isoTime(at), done, ...(run === undefined ? {} : { run }) };
}
