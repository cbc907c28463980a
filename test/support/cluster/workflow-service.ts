import { serve } from '@hono/node-server';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runJobsConnectors } from '../../../shared/adapters/workflows/connectors/run-jobs.ts';
import { createRunner } from '../../../shared/adapters/workflows/engine/runner.ts';
import { openSqliteJournal } from '../../../shared/adapters/workflows/engine/sqlite-journal.ts';
import { createExecutionsApi } from '../../../shared/adapters/workflows/executions-api/executions-api.ts';
import type { Workflow } from '../../../shared/adapters/workflows/syntax/ast.ts';
import { loadWorkflow } from '../../../shared/adapters/workflows/syntax/load-workflow.ts';
import { NO_DRIVERS } from '../../../shared/runtime/config.ts';
import { portOf } from '../port-of.ts';

export interface WorkflowService {
  /** What points a function to it. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

interface WorkflowServiceOptions {
  project: string;
  region: string;
  /** Where `stages` answers. */
  stagesUrl: string;
  folder: string;
}

const WORKFLOWS = fileURLToPath(new URL('../../../workflows', import.meta.url));

/** The project's workflows as Google Cloud Workflows would have them, on the project's own runner behind the executions API. */
export async function startWorkflowService(options: WorkflowServiceOptions): Promise<WorkflowService> {
  const { project, region: location, stagesUrl, folder } = options;
  let url = '';
  const token = () => Promise.resolve('for-a-stand-in');
  const runner = createRunner({
    project,
    location,
    connectors: runJobsConnectors(),
    journal: openSqliteJournal({ folder }),
    env: { PENSTOCK_STAGES_URL: stagesUrl },
    callbackBaseUrl: () => url,
    auth: { oidc: token, oauth2: token },
  });
  const workflows = loadAll();
  const fetch = createExecutionsApi({ runner, workflow: (name) => workflows.get(name) });
  const server = serve({ fetch, port: 0, hostname: '127.0.0.1' });
  if (!server.listening) await once(server, 'listening');
  url = `http://127.0.0.1:${portOf(server)}`;
  return {
    environment: { PENSTOCK_WORKFLOWS_URL: url, PENSTOCK_DRIVERS: driversOf(workflows) },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
      await closed;
      runner.close();
    },
  };
}

/** As Terraform names them. */
function driversOf(workflows: ReadonlyMap<string, Workflow>): string {
  return [...workflows.keys()].filter((name) => !NO_DRIVERS.includes(name)).join(',');
}

function loadAll(): Map<string, Workflow> {
  const files = readdirSync(WORKFLOWS).filter((file) => file.endsWith('.yaml'));
  return new Map(files.map((file) => [basename(file, '.yaml'), load(file)]));
}

function load(file: string): Workflow {
  const { workflow, problems } = loadWorkflow(readFileSync(join(WORKFLOWS, file), 'utf8'), {
    name: basename(file, '.yaml'),
    connectors: runJobsConnectors(),
  });
  if (workflow === undefined)
    throw new Error(`${file}: ${problems.map(({ message }) => message).join('; ')}`);
  return workflow;
}
