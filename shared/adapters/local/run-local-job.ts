import type { JobRequest } from '../../ports/job-starter.ts';
import { runJobsConnectors } from '../workflows/connectors/run-jobs.ts';
import type { Connector } from '../workflows/engine/connector.ts';
import { httpError, valueError } from '../workflows/errors.ts';
import { fromPlain, toPlain, type Value } from '../workflows/values.ts';
import type { ProcessJobStarter } from './process-job-starter.ts';

const NAME = 'googleapis.run.v1.namespaces.jobs.run';

interface RunBody {
  overrides?: { containerOverrides?: { env?: { name: string; value?: string }[] }[] };
}

/** As much of an execution as its follower reads. */
interface LocalExecution {
  metadata: { name: string; namespace: string };
  status: { conditions: { type: string; status: 'True' | 'False' | 'Unknown'; message: string }[] };
}

/**
 * The connector that starts a Cloud Run job, for jobs that are processes of this machine. An execution is named by its process, so
 * that it is found again by a platform that was started after it.
 */
export function runLocalJob(jobs: ProcessJobStarter): Connector {
  const real = runJobsConnectors().find(({ name }) => name === NAME);
  if (real?.follow === undefined) throw new Error(`there is no connector ${NAME}`);
  const exits = new Map<string, number | null>();
  return {
    ...real,
    start: async (args) => {
      const job = jobOf(args.get('body') ?? null);
      if ((await jobs.start(job)) === 'no_capacity')
        throw httpError({ code: 429, headers: new Map(), body: null, message: 'no room for another job' });
      const { pid, exitCode } = jobs.processOf(job) ?? {};
      const name = String(pid);
      void exitCode?.then((code) => exits.set(name, code));
      return fromPlain(executionOf(name, undefined));
    },
    follow: {
      ...real.follow,
      poll: (execution) => {
        const { metadata } = toPlain(execution) as LocalExecution;
        const code = exits.get(metadata.name);
        if (code === undefined && isAlive(Number(metadata.name))) return Promise.resolve(execution);
        exits.delete(metadata.name);
        return Promise.resolve(fromPlain(executionOf(metadata.name, code ?? null)));
      },
    },
  };
}

/** `code`: absent while it runs, `null` where a signal ended it, or nobody was there to see. */
function executionOf(name: string, code: number | null | undefined): LocalExecution {
  const status = code === undefined ? 'Unknown' : code === 0 ? 'True' : 'False';
  const message = status === 'False' ? `its process ended with ${code ?? 'a signal'}` : '';
  const conditions = [{ type: 'Completed', status, message } as const];
  return { metadata: { name, namespace: 'local' }, status: { conditions } };
}

function jobOf(body: Value): JobRequest {
  const { overrides } = toPlain(body) as RunBody;
  const env = overrides?.containerOverrides?.[0]?.env ?? [];
  const valueOf = (name: string): string => env.find((one) => one.name === name)?.value ?? '';
  const [tenant = '', run = '', task = '', generation = ''] = valueOf('PENSTOCK_ATTEMPT').split('/');
  const ticket = valueOf('PENSTOCK_TICKET');
  if (ticket === '' || !/^\d+$/.test(generation))
    throw valueError('a job of this machine takes PENSTOCK_TICKET and PENSTOCK_ATTEMPT');
  const traceparent = valueOf('PENSTOCK_TRACEPARENT') || undefined;
  return { tenant, run, task, generation: Number(generation), ticket, tier: 'standard', traceparent };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
