import { fileURLToPath } from 'node:url';
import { loadAgents, loadPrompts } from '../../../shared/adapters/local/agent-files.ts';
import { doAgentWork, type Bench, type Roster } from '../../../shared/core/work/agent-work.ts';
import { runAttempt } from '../../../shared/core/work/run-attempt.ts';
import { createSteering, type Steering } from '../../../shared/core/work/steering.ts';
import type { Transcript } from '../../../shared/core/work/transcript.ts';
import type { AttemptBrief, AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import type { Tool } from '../../../shared/ports/tool.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { briefFor, createMemoryAttempt, type MemoryAttempt } from './memory-attempt.ts';
import { createQueuedModel, type QueuedModel, type Reply } from './queued-model.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));
const agents = await loadAgents(folder('agents'));

export const roster: Roster = {
  agents: new Map(agents.map((agent) => [agent.name, agent])),
  prompts: await loadPrompts(folder('prompts')),
};

export interface WorkerRun {
  attempt: MemoryAttempt;
  model: QueuedModel;
  clock: ManualClock;
  steering: Steering;
  result: Promise<AttemptResultInput | 'stopped'>;
}

export interface WorkerSettings {
  replies: Reply[];
  tools?: Tool[];
  brief?: Partial<AttemptBrief>;
  bench?: Partial<Bench>;
  redact?: (text: string) => string;
  cleanUp?: () => Promise<void>;
  /** The transcript, for a bench that writes to it. */
  onContext?: (transcript: Transcript) => void;
}

/** The real loop, lifecycle, transcript and renewal around a model in memory and a clock that the test moves. */
export function startWorker(settings: WorkerSettings): WorkerRun {
  const clock = createManualClock();
  const brief = briefFor(clock.now(), settings.brief);
  const model = createQueuedModel(settings.replies);
  const attempt = createMemoryAttempt(brief, model);
  const steering = createSteering({ clock, limits: brief.limits });
  const bench: Bench = { prepare: async () => ({ tools: settings.tools ?? [] }), ...settings.bench };
  const result = runAttempt({
    attempt,
    clock,
    steering,
    redact: settings.redact ?? ((text) => text),
    work: (context) => {
      settings.onContext?.(context.transcript);
      return doAgentWork(context, roster, bench);
    },
    ...(settings.cleanUp === undefined ? {} : { cleanUp: settings.cleanUp }),
  });
  return { attempt, model, clock, steering, result };
}

/** A tool that answers with what it was given. */
export function echoTool(name = 'read_file', run?: Tool['run']): Tool {
  return {
    spec: { name, description: 'Echoes.', inputSchema: { type: 'object' } },
    run:
      run ?? (async (input) => ({ content: `echo ${JSON.stringify(input)}`, isError: false, summary: 'ok' })),
  };
}
