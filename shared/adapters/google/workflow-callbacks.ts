import { PenstockError } from '../../ports/penstock-error.ts';
import type { WorkflowCallbacks } from '../../ports/workflow-callbacks.ts';
import { callGoogle } from './google-call.ts';
import type { WorkflowExecutionsConfig } from './workflow-executions.ts';

const TIMEOUT_MS = 30_000;
const ROLE = 'roles/workflows.invoker';
/** The execution has ended, or waits no more: nobody is there to be woken. */
const GONE = 404;

/**
 * Callback endpoints of Google Cloud Workflows. A request's URL is put together from the configuration and ids alone: where it goes,
 * with our own credentials, nobody else has a say in.
 */
export function createWorkflowCallbacks(config: WorkflowExecutionsConfig): WorkflowCallbacks {
  const { baseUrl, auth, project, region, timeoutMs = TIMEOUT_MS } = config;
  return {
    wake: async ({ workflow, id }, callback, notice) => {
      const names = {
        projects: project,
        locations: region,
        workflows: workflow,
        executions: id,
        callbacks: callback,
      };
      const path = Object.entries(names).map(([kind, name]) => `${kind}/${encodeURIComponent(name)}`);
      const url = `${baseUrl.replace(/\/$/, '')}/v1/${path.join('/')}`;
      const call = { what: `wake of execution ${id} of workflow ${workflow}`, role: ROLE, timeoutMs };
      await callGoogle(call, async (signal) => {
        const headers = new Headers(await auth.getRequestHeaders(url));
        headers.set('content-type', 'application/json');
        const response = await send(url, { method: 'POST', headers, signal, body: JSON.stringify(notice) });
        const text = await response.text();
        if (response.ok || response.status === GONE) return;
        throw Object.assign(new Error(text.slice(0, 500) || `HTTP ${response.status}`), {
          status: response.status,
        });
      });
    },
  };
}

async function send(url: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, request);
  } catch (cause) {
    throw new PenstockError('unavailable', `no answer from ${new URL(url).origin}`, {
      retry: 'later',
      cause,
    });
  }
}
