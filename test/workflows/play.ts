import type { ExecutionView } from '../../shared/adapters/workflows/engine/execution-view.ts';
import { createRunner, type Runner } from '../../shared/adapters/workflows/engine/runner.ts';
import {
  createVirtualClock,
  type VirtualClock,
} from '../../shared/adapters/workflows/engine/virtual-clock.ts';
import type { Workflow } from '../../shared/adapters/workflows/syntax/ast.ts';
import { loadWorkflow } from '../../shared/adapters/workflows/syntax/load-workflow.ts';
import type { Problem } from '../../shared/adapters/workflows/syntax/problems.ts';
import { fromPlain, toPlain } from '../../shared/adapters/workflows/values.ts';
import type { Mock, Reply, Sample } from './corpus.ts';
import { createFakeGoogle } from './fake-google.ts';

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly body: string;
  /** Seconds since the execution began, on the virtual clock. */
  readonly at: number;
}

export interface Played {
  readonly view: ExecutionView;
  /** As JSON would have it. */
  readonly result: unknown;
  readonly requests: readonly Request[];
  /** The steps of main, in the order they began. */
  readonly steps: readonly string[];
  /** How often operations were looked at. */
  readonly polls: number;
  /** Seconds the execution took, on the virtual clock. */
  readonly seconds: number;
}

interface Stage {
  readonly runner: Runner;
  readonly clock: VirtualClock;
  readonly id: string;
}

export interface PlayOptions {
  /** Done once everything waits; without it, waits are over as soon as nothing else happens. */
  meanwhile?: (stage: Stage) => void;
}

/** What the loader says of a sample, with the connectors of the fake APIs at hand. */
export function load({ file, source }: Sample): { workflow?: Workflow; problems: Problem[] } {
  return loadWorkflow(source, { name: file.replace('.yaml', ''), connectors: createFakeGoogle().connectors });
}

/** Runs a sample to its end, on a virtual clock and with its own web. */
export async function play(sample: Sample, { meanwhile }: PlayOptions = {}): Promise<Played> {
  const { workflow, problems } = load(sample);
  if (workflow === undefined) throw new Error(`${sample.file}: ${JSON.stringify(problems)}`);
  const google = createFakeGoogle();
  const clock = createVirtualClock({ isAutomatic: meanwhile === undefined });
  const requests: Request[] = [];
  const steps: string[] = [];
  const started = clock.now();
  const runner = createRunner({
    clock,
    fetch: createWeb(
      sample.mock ?? [],
      (request) => void requests.push({ ...request, at: (clock.now() - started) / 1000 }),
    ),
    project: 'P',
    location: 'europe-west1',
    connectors: google.connectors,
    auth: { oidc: async () => 'identity', oauth2: async () => 'access' },
    onStep: ({ routine, step, state }) => {
      if (routine === 'main' && state === 'running') steps.push(step);
    },
  });
  const id = runner.start(workflow, fromPlain(sample.argument));
  if (meanwhile !== undefined) {
    await clock.settled();
    meanwhile({ runner, clock, id });
    clock.resume();
  }
  const view = await runner.finished(id);
  const result = view.result === undefined ? undefined : toPlain(view.result);
  return { view, result, requests, steps, polls: google.polls(), seconds: (clock.now() - started) / 1000 };
}

/** Answers requests as the corpus says; any other one is an address that does not exist. */
function createWeb(mocks: readonly Mock[], see: (request: Omit<Request, 'at'>) => void): typeof fetch {
  const left = mocks.map(({ match, reply }) => ({
    match: match.replace(/\*$/, ''),
    replies: (Array.isArray(reply) ? [...(reply as Reply[])] : [reply]) as Reply[],
  }));
  return async (input, init) => {
    const request = new Request(input, init);
    const { method, url, headers } = request;
    see({ method, url, authorization: headers.get('authorization'), body: await request.text() });
    const mock = left.find(({ match }) => `${method} ${url}`.startsWith(match));
    const reply =
      mock === undefined ? undefined : mock.replies.length > 1 ? mock.replies.shift() : mock.replies[0];
    if (reply === undefined) {
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }),
      });
    }
    if (typeof reply === 'number') return new Response(null, { status: reply });
    return Response.json(reply.json, { status: reply.code });
  };
}
