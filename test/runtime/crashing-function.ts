import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { agentExecution } from '../../functions/agent-execution/agent-execution.ts';
import type { Ports } from '../../shared/core/ports.ts';
import { createGoogleRuntime } from '../../shared/runtime/google.ts';
import { readGoogleConfig } from '../../shared/runtime/google-config.ts';
import { registerMessage } from '../../shared/runtime/register.ts';

/** `agent-execution` as a process of its own that dies, as by a crash, the first time it comes to a point; then never again. */
const { CRASH_AT: point = '', CRASH_FOLDER: folder = '' } = process.env;

function crashOnce(here: string): void {
  const mark = `${folder}/crashed`;
  if (here !== point || existsSync(mark)) return;
  writeFileSync(mark, here);
  process.kill(process.pid, 'SIGKILL');
}

function crashing(ports: Ports): Ports {
  return {
    ...ports,
    store: {
      ...ports.store,
      commit: (writes) => {
        crashOnce('before its claim');
        return ports.store.commit(writes);
      },
    },
    queue: {
      ...ports.queue,
      publish: (topic, message, options) => {
        crashOnce('before it says that it is done');
        return ports.queue.publish(topic, message, options);
      },
    },
    work: () => {
      appendFileSync(`${folder}/begun`, '.');
      crashOnce('while it works');
      return Promise.resolve({ outcome: 'succeeded', summary: 'done' });
    },
  };
}

registerMessage(
  'agent-execution',
  () => Promise.resolve(agentExecution),
  async () => {
    const runtime = await createGoogleRuntime(readGoogleConfig());
    return { ...runtime, ports: crashing(runtime.ports) };
  },
);
