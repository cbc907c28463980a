import { mkdtempSync, readdirSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseScript } from '../../../shared/adapters/script/script-file.ts';
import { startScriptServer, type ScriptServer } from '../../../shared/adapters/script/script-server.ts';
import type { AttemptBrief } from '../../../shared/messages/attempt-api.ts';
import { startAttemptsStandIn, type AttemptsStandIn } from '../../support/attempts-stand-in.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';
import { briefFor } from '../../support/work/memory-attempt.ts';
import { startJobProcess, type JobProcess } from './job-process.ts';

/** Green as it is: `add` works, and the test says so. `mul` is missing. */
const files = {
  'package.json': JSON.stringify({ name: 'sample', type: 'module', scripts: { test: 'node --test' } }),
  'src/math.js': 'export function add(a, b) {\n  return a + b;\n}\n',
  'test/math.test.js': `import test from 'node:test';\nimport assert from 'node:assert';\nimport { add } from '../src/math.js';\ntest('add', () => assert.equal(add(1, 2), 3));\n`,
  'AGENTS.md': 'Use two spaces.\n',
};

export interface JobWorld {
  repository: SampleRepository;
  attempts: AttemptsStandIn;
  model: ScriptServer;
  data: string;
  /** Starts the job program on an attempt. */
  start(brief: Partial<AttemptBrief>, environment?: Record<string, string>): JobProcess;
  /** Folders that attempts left behind. */
  leftovers(): string[];
  stop(): Promise<void>;
}

/** A repository, a scripted model, a platform, and room for jobs: all real processes and files, all removed by `stop`. */
export async function openJobWorld(turns: object[], program?: string): Promise<JobWorld> {
  const repository = createSampleRepository(files);
  const script = parseScript(JSON.stringify({ name: 'test', note: 'scripted', turns }), 'test');
  const model = await startScriptServer({ script });
  const attempts = await startAttemptsStandIn({ modelUrl: model.url });
  const data = mkdtempSync(join(tmpdir(), 'penstock-job-'));
  const jobs: JobProcess[] = [];
  return {
    repository,
    attempts,
    model,
    data,
    start(brief, environment = {}) {
      const now = Date.now();
      attempts.offer({
        ...briefFor(now),
        target: {
          host: 'local-git',
          repository: repository.folder,
          baseSha: repository.baseSha,
          service: 'sample',
        },
        clone: { url: repository.folder },
        contract: { test: ['node --test'] },
        limits: { turns: 20, wrapUpAt: now + 50_000, hardLimitAt: now + 55_000, renewEveryMs: 500 },
        ...brief,
      });
      const given = {
        PENSTOCK_ATTEMPTS_URL: attempts.url,
        PENSTOCK_TICKET: attempts.ticket,
        PENSTOCK_ATTEMPT: 'local/run1/api/1',
        PENSTOCK_DATA: data,
        ...environment,
      };
      const job = startJobProcess(given, program);
      jobs.push(job);
      return job;
    },
    leftovers: () => (existsSync(join(data, 'jobs')) ? readdirSync(join(data, 'jobs')) : []),
    async stop() {
      for (const { child } of jobs) if (child.exitCode === null) child.kill('SIGKILL');
      await Promise.all([attempts.stop(), model.stop()]);
      repository.remove();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Text of a file in a change set that the platform took. */
export function textIn(attempts: AttemptsStandIn, path: string): string | undefined {
  const accepted = attempts.accepted();
  const entry = accepted?.changeSet.entries.find((one) => one.path === path);
  const bytes = entry?.blob === null || entry === undefined ? undefined : accepted?.contents.get(entry.blob);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
