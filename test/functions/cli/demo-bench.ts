import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAgentBench } from '../../../functions/agent-job/agent-bench.ts';
import { integrate } from '../../../functions/agent-job/integrate.ts';
import type { Job } from '../../../functions/agent-job/job.ts';
import { createAnthropicModel } from '../../../shared/adapters/anthropic/anthropic-model.ts';
import { createHttpAttempt } from '../../../shared/adapters/attempts-http/http-attempt.ts';
import { loadAgents, loadPrompts } from '../../../shared/adapters/local/agent-files.ts';
import { chooseSandbox } from '../../../shared/adapters/local/choose-sandbox.ts';
import { createLocalGitCodeHost } from '../../../shared/adapters/local/local-git-code-host.ts';
import type { Script } from '../../../shared/adapters/script/script-file.ts';
import { startScriptServer, type ScriptCall } from '../../../shared/adapters/script/script-server.ts';
import { planWork } from '../../../shared/core/plan/plan-work.ts';
import type { Policy } from '../../../shared/core/ports.ts';
import { parseContract } from '../../../shared/core/repository/parse-contract.ts';
import { repositoryTools } from '../../../shared/core/repository/repository-tools.ts';
import { doAgentWork, type Bench, type Roster } from '../../../shared/core/work/agent-work.ts';
import { createWorker } from '../../../shared/core/work/create-worker.ts';
import { runAttempt, type WorkContext } from '../../../shared/core/work/run-attempt.ts';
import { createSteering } from '../../../shared/core/work/steering.ts';
import type { AttemptBrief, AttemptResultInput } from '../../../shared/messages/attempt-api.ts';
import type { PlannedTask } from '../../../shared/messages/plan.ts';
import type { TranscriptLine } from '../../../shared/messages/transcript-line.ts';
import type { Attempt } from '../../../shared/ports/attempt.ts';
import type { FileChange } from '../../../shared/ports/code-host.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { Tool } from '../../../shared/ports/tool.ts';
import { startAttemptsStandIn, type AttemptsStandIn } from '../../support/attempts-stand-in.ts';
import { realClock } from '../../support/real-clock.ts';
import { createSampleRepository } from '../../support/sample-repository.ts';
import { briefFor } from '../../support/work/memory-attempt.ts';

const shared = (name: string): string => fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url));
export const demoFolder = fileURLToPath(new URL('../../../functions/cli/demo', import.meta.url));
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};

/** Files of the sample repository by path, as they are in this checkout. */
export function sampleFiles(): Record<string, string> {
  const root = join(demoFolder, 'repository');
  const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
  return Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

export interface DemoSettings {
  script: Script;
  files: Record<string, string>;
  /** Wraps or replaces tools of the job lane. */
  tamper?: (tool: Tool) => Tool;
}

/** How a task ended, and what others get from it. */
export interface DoneTask {
  agent: string;
  result: AttemptResultInput;
  lines: TranscriptLine[];
  /** Blob of its change set, where the platform took one. */
  bundle?: Uint8Array;
  entries: AcceptedEntry[];
}

interface AcceptedEntry {
  path: string;
  mode: FileChange['mode'] | null;
  content?: Uint8Array;
}

export interface DemoBench {
  baseSha: string;
  /** The architect's plan, checked as the platform checks it. */
  plan(requirement: string): Promise<DoneTask>;
  /** One task of a plan on what the tasks before it gave. */
  work(
    task: PlannedTask,
    before: ReadonlyMap<string, DoneTask>,
    brief?: Partial<AttemptBrief>,
  ): Promise<DoneTask>;
  /** The change sets of these tasks in order on a clean base. */
  integrate(tasks: ReadonlyMap<string, DoneTask>): Promise<DoneTask>;
  /** Writes change sets as a commit on the base and answers its diff. */
  diff(done: DoneTask): Promise<string>;
  calls(): ScriptCall[];
  stop(): Promise<void>;
}

const agents = await loadAgents(shared('agents'));
const roster: Roster = {
  agents: new Map(agents.map((agent) => [agent.name, agent])),
  prompts: await loadPrompts(shared('prompts')),
};
const confinement = await chooseSandbox();
const redact = (text: string): string => text;

/**
 * The agents of the demo without the engine around them: the real script server, loop, tools, job benches, checks and git,
 * and briefs put together here. Tasks run one after the other.
 */
export async function openDemoBench({
  script,
  files,
  tamper = (tool) => tool,
}: DemoSettings): Promise<DemoBench> {
  const repository = createSampleRepository(files);
  const model = await startScriptServer({ script });
  const attempts = await startAttemptsStandIn({ modelUrl: model.url });
  const data = mkdtempSync(join(tmpdir(), 'penstock-demo-test-'));
  const host = createLocalGitCodeHost();
  const target = {
    host: 'local-git',
    repository: repository.folder,
    baseSha: repository.baseSha,
    service: 'todo',
  } as const;
  const contract = parseContract(files['.github/penstock.yml'] ?? '');
  let count = 0;
  /** What a review reads: the last commit of `diff`. */
  let head: string = repository.baseSha;

  async function claim(brief: Partial<AttemptBrief>): Promise<Attempt> {
    const now = Date.now();
    const limits = { turns: 12, wrapUpAt: now + 100_000, hardLimitAt: now + 110_000, renewEveryMs: 60_000 };
    const clone = { url: repository.folder };
    attempts.offer({
      ...briefFor(now),
      target,
      clone,
      contract,
      limits,
      instructions: '',
      acceptance: [],
      scope: [],
      ...brief,
    });
    return createHttpAttempt({
      url: attempts.url,
      ticket: attempts.ticket,
      clock: realClock,
      createModel: (access) => createAnthropicModel({ ...access, provider: 'script', log: silent }),
    });
  }

  async function run(
    attempt: Attempt,
    work: (context: WorkContext) => Promise<AttemptResultInput>,
  ): Promise<DoneTask> {
    const steering = createSteering({ clock: realClock, limits: attempt.brief.limits });
    const result = await runAttempt({ attempt, clock: realClock, redact, steering, work });
    if (result === 'stopped') throw new Error(`${attempt.brief.task} was stopped`);
    const { task, agent } = attempt.brief;
    return { agent, result, lines: attempts.lines(), ...acceptedBy(attempts, task) };
  }

  function readingTools(agent: string, baseSha: string = repository.baseSha): Tool[] {
    const allowed = roster.agents.get(agent)?.tools ?? [];
    const source = { ...target, baseSha, headBranch: 'head' };
    return repositoryTools({ codeHost: () => host }, source, allowed).tools;
  }

  function job(context: WorkContext): Job {
    const folder = join(data, String((count += 1)));
    mkdirSync(folder);
    const wrapTools: Job['wrapTools'] = (tools) => tools.map((tool) => tamper(tool));
    return { ...context, ...confinement, mayRunCode: true, folder, wrapTools };
  }

  function bench(context: WorkContext): Bench {
    const { brief } = context.attempt;
    const agent = roster.agents.get(brief.agent);
    if (agent?.lane !== 'job') {
      const at = brief.kind === 'review' ? head : repository.baseSha;
      return { prepare: () => Promise.resolve({ tools: readingTools(brief.agent, at) }) };
    }
    return createAgentBench(job(context), roster);
  }

  function offerInputs(done: ReadonlyMap<string, DoneTask>): AttemptBrief['inputs'] {
    return [...done].flatMap(([task, { bundle }]) => {
      if (bundle === undefined) return [];
      attempts.put(`inputs/${task}`, bundle);
      return [{ task, url: attempts.blobUrl(`inputs/${task}`) }];
    });
  }

  return {
    baseSha: repository.baseSha,
    async plan(requirement) {
      const attempt = await claim({ task: 'plan', kind: 'plan', agent: 'project_architect', requirement });
      const tools = readingTools('project_architect');
      // All that planning asks of the policy.
      const policy = { maxPlanTasks: 200, maxPlanDepth: 20 } as Policy;
      const worker = createWorker({ roster, clock: realClock, redact });
      const ports = { agents: roster.agents, policy, codeHost: () => host, work: worker };
      const result = await planWork(ports, async () => ({ attempt, tools }));
      return { agent: attempt.brief.agent, result, lines: attempts.lines(), entries: [] };
    },
    async work(task, before, brief = {}) {
      const { id, agent, title = id, instructions, acceptance, scope } = task;
      const facts = { task: id, agent, title, instructions, acceptance, scope, inputs: offerInputs(before) };
      const dependencies = task.dependencies.map((name) => spokenBy(name, before.get(name)));
      const attempt = await claim({ ...facts, dependencies, ...brief });
      return run(attempt, (context) => doAgentWork(context, roster, bench(context)));
    },
    async integrate(tasks) {
      const attempt = await claim({
        task: 'integrate-1',
        kind: 'integrate',
        agent: 'integrator',
        inputs: offerInputs(tasks),
      });
      return run(attempt, (context) => integrate(job(context)));
    },
    async diff({ entries }) {
      const changes = entries.map(({ path, mode, content }) => ({
        path,
        mode: mode ?? ('100644' as const),
        ...(content && { content }),
      }));
      head = await host.writeCommit(target, { parent: repository.baseSha, message: 'Head', changes });
      return host.diff(target, repository.baseSha, head, 120_000);
    },
    calls: model.calls,
    async stop() {
      await Promise.all([attempts.stop(), model.stop()]);
      repository.remove();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function acceptedBy(attempts: AttemptsStandIn, task: string): Pick<DoneTask, 'bundle' | 'entries'> {
  const accepted = attempts.accepted();
  const bundle = attempts.get(`${task}/1/change-set-0`);
  if (accepted === undefined || bundle === undefined) return { entries: [] };
  const entries = accepted.changeSet.entries.map(({ path, mode, blob }) => {
    const content = blob === null ? undefined : accepted.contents.get(blob);
    return { path, mode, ...(content === undefined ? {} : { content }) };
  });
  return { bundle, entries };
}

function spokenBy(task: string, done: DoneTask | undefined): AttemptBrief['dependencies'][number] {
  if (done?.result.outcome !== 'succeeded') throw new Error(`${task} has no result`);
  const { summary, output = '' } = done.result;
  return { task, agent: done.agent, summary, output };
}
