import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentExecution } from '../../functions/agent-execution/agent-execution.ts';
import { deadLetters } from '../../functions/dead-letters/dead-letters.ts';
import { decomposition } from '../../functions/decomposition/decomposition.ts';
import { integration } from '../../functions/integration/integration.ts';
import { notification } from '../../functions/notification/notification.ts';
import { resultHandling } from '../../functions/result-handling/result-handling.ts';
import { loadAgents } from '../../shared/adapters/local/agent-files.ts';
import { createFileBlobs } from '../../shared/adapters/local/file-blobs.ts';
import { createLocalGitCodeHost } from '../../shared/adapters/local/local-git-code-host.ts';
import { openSqliteDatabase } from '../../shared/adapters/local/sqlite-database.ts';
import { createSqliteStore } from '../../shared/adapters/local/sqlite-store.ts';
import { createOpenTelemetryTrace } from '../../shared/adapters/opentelemetry/opentelemetry-trace.ts';
import type { Policy, Ports, Worker } from '../../shared/core/ports.ts';
import { refs } from '../../shared/core/refs.ts';
import type { Run } from '../../shared/core/run.ts';
import { readTasks } from '../../shared/core/run-tasks.ts';
import { createCircuits } from '../../shared/core/circuits/create-circuits.ts';
import { createProcessMemory } from '../../shared/core/process-memory.ts';
import { createSettings } from '../../shared/core/settings.ts';
import { submitRun, type Submission } from '../../shared/core/submit-run.ts';
import type { Task } from '../../shared/core/task.ts';
import type { AttemptResultInput } from '../../shared/messages/attempt-api.ts';
import { planProposal, type PlanProposal } from '../../shared/messages/plan.ts';
import type { Message, Topic } from '../../shared/messages/topics.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Ids } from '../../shared/ports/ids.ts';
import type { JobStarter, JobState } from '../../shared/ports/job-starter.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Model } from '../../shared/ports/model.ts';
import type { Workflows } from '../../shared/ports/workflow-callbacks.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { INDEXES } from '../../shared/runtime/local.ts';
import { type IncomingMessage, onMessage } from '../../shared/runtime/on-message.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';
import { withFirestoreIndexes } from './firestore-planner.ts';

export const TENANT = 'local';
/** Any day will do. */
const START = Date.parse('2026-11-20T10:00:00Z');

/** Time that only the test moves: by `advance`, or by whoever sleeps in it. */
export interface HandClock extends Clock {
  advance(ms: number): void;
}

export interface Sent {
  topic: Topic;
  message: Message<Topic>;
}

/** The engine on real SQLite and files, with every message in the test's hands. */
export interface Engine {
  ports: Ports;
  clock: HandClock;
  /** Published and not yet delivered, oldest first; a test may take out, repeat and reorder. */
  mail: Sent[];
  /** How often a worker was called for each task. */
  worked: Map<string, number>;
  jobs: {
    starts: Parameters<JobStarter['start']>[0][];
    cancels: Parameters<JobStarter['cancel']>[0][];
    /** An error: nobody can be asked for a job. */
    next: 'started' | 'no_capacity' | Error;
    /** Of whatever job is asked for. */
    state: JobState | Error;
  };
  /** Hands one message to its function; what it throws is what would be delivered again. */
  deliver(sent: Sent): Promise<void>;
  /** How often `drain` delivers each message. */
  deliveries: number;
  /** Delivers until nothing is left. */
  drain(): Promise<void>;
  submit(submission: Partial<Omit<Submission, 'plan'>> & { plan?: object[] }): Promise<Run>;
  run(id: string): Promise<Run>;
  tasks(id: string): Promise<Task[]>;
  task(run: string, id: string): Promise<Task>;
  close(): Promise<void>;
}

/** What the worker of a task answers: by id and generation. */
export type Play = (task: string, generation: number) => AttemptResultInput | Promise<AttemptResultInput>;

export interface EngineOptions {
  play?: Play;
  /** In place of `play`, with the attempt itself. */
  work?: (open: Parameters<Worker>[0], sent: Sent) => ReturnType<Worker>;
  model?: Model;
  /** @default none */
  log?: Log;
  workflows?: Workflows;
  seed?: number;
  policy?: Partial<Policy>;
}

export const DONE: AttemptResultInput = { outcome: 'succeeded', summary: 'done' };

export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-engine-'));
  const database = openSqliteDatabase({ file: ':memory:', synchronous: 'normal' });
  const store = withFirestoreIndexes(createSqliteStore({ database, indexes: INDEXES }));
  const clock = createHandClock();
  const policy = { ...POLICY, ...options.policy };
  const mail: Sent[] = [];
  const worked = new Map<string, number>();
  const jobs: Engine['jobs'] = { starts: [], cancels: [], next: 'started', state: { state: 'unknown' } };
  const localGit = createLocalGitCodeHost();
  const outside: Outside = {
    store,
    queue: {
      publish: (topic, message) => Promise.resolve(void mail.push({ topic, message } as Sent)),
      close: () => Promise.resolve(),
    },
    blobs: createFileBlobs({
      directory: join(folder, 'blobs'),
      baseUrl: 'http://127.0.0.1:9',
      secret: 'test-secret',
      clock,
    }),
    clock,
    ids: createSeededIds(options.seed ?? 1),
    model: options.model ?? noModel,
    jobs: {
      start: (start) => {
        jobs.starts.push(start);
        return jobs.next instanceof Error ? Promise.reject(jobs.next) : Promise.resolve(jobs.next);
      },
      cancel: (attempt) => Promise.resolve(void jobs.cancels.push(attempt)),
      state: () => (jobs.state instanceof Error ? Promise.reject(jobs.state) : Promise.resolve(jobs.state)),
    },
    codeHost: () => localGit,
    host: 'host-1',
    ...(options.workflows === undefined ? {} : { workflows: options.workflows }),
  };
  const base = { ...(await portsOfProcess(outside, policy)), log: options.log ?? silent };
  /** Whose attempt it is stands in the message; a worker itself is only told when it opens it. */
  const portsFor = (sent: Sent): Ports => {
    const { task = 'plan', generation = 1 } = sent.message as Partial<Message<'task-dispatched'>>;
    const work: Worker = async (open) => {
      worked.set(task, (worked.get(task) ?? 0) + 1);
      return options.work === undefined
        ? (options.play?.(task, generation) ?? DONE)
        : options.work(open, sent);
    };
    return { ...base, work };
  };
  const ports: Ports = {
    ...base,
    work: () => Promise.reject(new Error('workers are called by deliveries only')),
  };
  const engine: Engine = {
    ports,
    clock,
    mail,
    worked,
    jobs,
    deliver: (sent) => handle(portsFor(sent), sent),
    deliveries: 1,
    drain: async () => {
      for (let sent = mail.shift(); sent !== undefined; sent = mail.shift()) {
        for (let times = 0; times < engine.deliveries; times += 1) await engine.deliver(sent);
      }
    },
    submit: async ({ plan, ...rest }) => {
      const proposal: { plan?: PlanProposal } =
        plan === undefined ? {} : { plan: planProposal.parse({ tasks: plan }) };
      const { run } = await submitRun(ports, { ...SUBMISSION, ...rest, ...proposal });
      return run;
    },
    run: async (id) => found(await ports.store.get(refs.run(TENANT, id))),
    task: async (run, id) => found(await ports.store.get(refs.task(TENANT, run, id))),
    tasks: (id) => readTasks(ports.store, TENANT, id),
    close: async () => {
      await store.close();
      database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return engine;
}

/** What is outside a process; several may share it. */
export type Outside = Pick<
  Ports,
  'store' | 'queue' | 'blobs' | 'clock' | 'ids' | 'model' | 'jobs' | 'codeHost' | 'host' | 'workflows'
>;

/** The ports of one process: what is outside it, and what it alone knows. */
export async function portsOfProcess(outside: Outside, policy: Policy): Promise<Omit<Ports, 'work'>> {
  const { store, clock, model } = outside;
  const settings = createSettings({ store, clock, log: silent, policy });
  return {
    ...outside,
    log: silent,
    trace: await createOpenTelemetryTrace(),
    agents: await agents,
    policy,
    memory: createProcessMemory(),
    settings,
    circuits: createCircuits({
      store,
      clock,
      log: silent,
      settings,
      provider: model.provider,
      defaultTenant: policy.defaultTenant,
    }),
  };
}

export const SUBMISSION: Submission = {
  tenant: TENANT,
  title: 'Do it',
  requirement: 'Do it well.',
  origin: { kind: 'api', actor: 'dana' },
  priority: 'normal',
  dryRun: false,
};

export const POLICY: Policy = {
  version: '0.0.0',
  defaultBudgetMicroUsd: 2_000_000,
  autoApproveMicroUsd: 5_000_000,
  autoApproveTasks: 20,
  maxPlanTasks: 200,
  maxPlanDepth: 20,
  maxAttempts: 3,
  pools: { core: { min: 0, max: 64 }, specialist: { min: 0, max: 64 }, assessment: { min: 0, max: 64 } },
  retryBaseMs: 1_000,
  retryCapMs: 60_000,
  leaseMs: 180_000,
  renewEveryMs: 60_000,
  startByJobMs: 900_000,
  functionLaneLimitMs: 540_000,
  wrapUpMs: 60_000,
  maxFixRounds: 3,
  ciGraceMs: 30_000,
  ciDeadlineMs: 7_200_000,
  drivers: [],
  defaultDriver: 'direct',
  localRepositories: true,
  githubAccounts: 'any',
  defaultTenant: TENANT,
  publicUrl: 'http://127.0.0.1:9',
};

const agents = loadAgents(fileURLToPath(new URL('../../shared/agents', import.meta.url))).then(
  (list) => new Map(list.map((agent) => [agent.name, agent])),
);

/** The agents that ship, by name. */
export const shippedAgents = (): typeof agents => agents;

const functions: Record<Topic, MessageFunction> = {
  'run-accepted': decomposition,
  'task-dispatched': agentExecution,
  'task-finished': resultHandling,
  'run-finished': integration,
  'notification-requested': notification,
  'dead-letter': deadLetters,
};

function handle(ports: Ports, { topic, message }: Sent): Promise<void> {
  return receive(ports, topic, { messageId: 'm', message, attributes: { tenant: TENANT } });
}

/** Hands a delivery to the function of its topic. */
export function receive(ports: Ports, topic: Topic, incoming: IncomingMessage): Promise<void> {
  return onMessage(functions[topic], ports, incoming);
}

export function createHandClock(): HandClock {
  let now = START;
  return {
    now: () => now,
    sleep: (ms) => Promise.resolve(void (now += ms)),
    advance: (ms) => void (now += ms),
  };
}

/** Mulberry32: small, and good enough to tell ids apart. */
export function createSeededIds(seed: number): Ids {
  let state = seed;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const letters = (count: number): string =>
    Array.from(
      { length: count },
      () => 'abcdefghijklmnopqrstuvwxyz0123456789'[Math.floor(fraction() * 36)],
    ).join('');
  return { short: () => letters(8), uuid: () => letters(32), secret: () => letters(43), fraction };
}

export const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};

const noModel: Model = {
  provider: 'script',
  countTokens: () => Promise.reject(new PenstockError('config', 'this test has no model')),
  answer: () => Promise.reject(new PenstockError('config', 'this test has no model')),
};

function found<T extends object>(document: { data: T } | undefined): T {
  if (document === undefined) throw new Error('the record is not there');
  return document.data;
}
