import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessJobStarter } from '../adapters/local/process-job-starter.ts';
import type { Runner } from '../adapters/workflows/engine/runner.ts';
import type { Workflow } from '../adapters/workflows/syntax/ast.ts';
import type { Log } from '../ports/log.ts';
import { PenstockError } from '../ports/penstock-error.ts';
import type { Workflows } from '../ports/workflow-callbacks.ts';
import { driverName, NO_DRIVERS } from './config.ts';
import { lazily } from './lazily.ts';
import { loadOnce } from './load-once.ts';

export interface LocalWorkflowsConfig {
  /** Holds `<name>.yaml` for each workflow. */
  folder: string;
  dataFolder: string;
  /** Where this process answers HTTP. */
  baseUrl: string;
  token?: string | undefined;
  log: Log;
  /** Runs what a workflow starts as a Cloud Run job. @default Cloud Run's own address is asked */
  jobs?: ProcessJobStarter;
}

export interface LocalWorkflows {
  port: Workflows;
  /** What can be a driver. */
  names: readonly string[];
  /** Goes on with what a process before this one left; to be called once this one answers HTTP. */
  recover(): Promise<void>;
  /** The executions API. */
  answer(request: Request): Promise<Response>;
  close(): Promise<void>;
}

const SUFFIX = '.yaml';
const JOURNAL = 'workflows.db';

/** Workflows of a folder on the project's own runner. A process in which none is started loads nothing of it. */
export function openLocalWorkflows(config: LocalWorkflowsConfig): LocalWorkflows {
  let runner: Runner | undefined;
  const opened = loadOnce(async () => {
    const parts = await openRunner(config);
    ({ runner } = parts);
    return parts;
  });
  return {
    port: lazily(async () => (await opened()).port, ['start', 'cancel', 'state', 'wake']),
    names: namesIn(config.folder).filter((name) => !NO_DRIVERS.includes(name)),
    recover: async () => {
      if (existsSync(join(config.dataFolder, JOURNAL))) (await opened()).runner.recover();
    },
    answer: async (request) => (await opened()).answer(request),
    close: async () => {
      await Promise.resolve();
      runner?.close();
    },
  };
}

async function openRunner(config: LocalWorkflowsConfig) {
  const { createRunner } = await import('../adapters/workflows/engine/runner.ts');
  const { runJobsConnectors } = await import('../adapters/workflows/connectors/run-jobs.ts');
  const { openSqliteJournal } = await import('../adapters/workflows/engine/sqlite-journal.ts');
  const { createExecutionsApi } = await import('../adapters/workflows/executions-api/executions-api.ts');
  const { createRunnerWorkflows } = await import('../adapters/local/runner-workflows.ts');
  const { loadWorkflow } = await import('../adapters/workflows/syntax/load-workflow.ts');
  const { toPlain } = await import('../adapters/workflows/values.ts');
  const { runLocalJob } = await import('../adapters/local/run-local-job.ts');
  const { log, baseUrl, token = 'local', jobs } = config;
  const ours = jobs === undefined ? [] : [runLocalJob(jobs)];
  const identity = () => Promise.resolve(token);
  const runner = createRunner({
    // The later one of a name is taken.
    connectors: [...runJobsConnectors(), ...ours],
    journal: openSqliteJournal({ folder: config.dataFolder }),
    env: { PENSTOCK_STAGES_URL: baseUrl, PENSTOCK_JOB: 'agent-job', PENSTOCK_JOB_HIGH: 'agent-job-high' },
    callbackBaseUrl: baseUrl,
    auth: { oidc: identity, oauth2: identity },
    log: ({ workflow, execution, data }) =>
      log.info(`workflow ${workflow} ${execution}: ${JSON.stringify(toPlain(data))}`),
    onFault: (error, execution) => log.error(`execution ${execution}: ${String(error)}`),
  });
  const loaded = new Map<string, Workflow>();
  const load = (name: string): Workflow => {
    const text = readWorkflow(config.folder, name);
    const known = loaded.get(name);
    if (known?.source === text) return known;
    const { workflow, problems } = loadWorkflow(text, { name, connectors: runner.connectors.values() });
    if (workflow === undefined) throw refused(name, problems);
    loaded.set(name, workflow);
    return workflow;
  };
  const find = (name: string): Workflow | undefined =>
    namesIn(config.folder).includes(name) ? load(name) : undefined;
  return {
    runner,
    port: createRunnerWorkflows({ runner, load }),
    answer: createExecutionsApi({ runner, workflow: find }),
  };
}

/** What is named otherwise can be no workflow in the cloud either. */
function namesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .filter((name) => driverName.safeParse(name).success)
    .toSorted();
}

function readWorkflow(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, `${name}${SUFFIX}`), 'utf8');
  } catch (cause) {
    const message = `workflow ${name} cannot be read; put ${name}${SUFFIX} into ${folder}`;
    throw new PenstockError('config', message, { cause });
  }
}

function refused(
  name: string,
  problems: readonly { line: number; column: number; message: string; severity: string }[],
): PenstockError {
  const reasons = problems
    .filter(({ severity }) => severity === 'error')
    .map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`);
  const message = `workflow ${name} cannot be run: ${reasons.join('; ')}`;
  return new PenstockError('config', message, { reasons });
}
