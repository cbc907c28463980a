import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import {
  decodeRequest,
  type WireAnswer,
  type WireRequest,
} from '../../../shared/adapters/script/messages-protocol.ts';
import { startMessagesServer } from '../../../shared/adapters/script/messages-server.ts';
import { simulateInputTokens, simulateUsage } from '../../../shared/adapters/script/simulated-usage.ts';
import { modelById } from '../../../shared/core/models/model-table.ts';
import { priceOf } from '../../../shared/core/models/price.ts';
import { portOf } from '../port-of.ts';
import { answerFault, NONSENSE } from './broken-answers.ts';
import type { Fault, ModelFault } from './fault.ts';
import { answerWithTwoTasks } from './two-tasks.ts';

/** A call as the provider saw it. `refused`: not charged; `broken`: done and charged, although no whole answer was read. */
export interface ProviderCall {
  task: string;
  model: string;
  inputTokens: number;
  maxOutputTokens: number;
  end: 'answered' | 'broken' | 'refused';
  /** What is billed for it. */
  microUsd: number;
}

/** What the provider knows of a run. */
export interface ProviderLedger {
  calls: ProviderCall[];
  /** Requests whose tokens were counted: a call may be meant to follow. */
  counts: Pick<ProviderCall, 'task' | 'model' | 'inputTokens'>[];
}

export interface Provider {
  url: string;
  ledger: ProviderLedger;
  /** Which of the faults came to pass. */
  fired: ReadonlySet<Fault>;
  stop(): Promise<void>;
}

/** The rule model behind the Messages API, with a bill of its own, and with the faults of a schedule. */
export async function startProvider(faults: readonly Fault[]): Promise<Provider> {
  const upstream = await startMessagesServer({ answer: answerWithTwoTasks });
  const ledger: ProviderLedger = { calls: [], counts: [] };
  const fired = new Set<Fault>();
  let received = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const body = await text(request);
    const decoded = decodeRequest(JSON.parse(body));
    if (typeof decoded === 'string') return forward(upstream.url + path, body, response);
    if (path.endsWith('/count_tokens')) {
      ledger.counts.push(identityOf(decoded));
      return forward(upstream.url + path, body, response);
    }
    received += 1;
    const fault = faults.find(
      (one) => one.kind === 'model' && received >= one.nth && received < one.nth + one.times,
    );
    if (fault?.kind !== 'model') {
      ledger.calls.push(billed(decoded, answerWithTwoTasks(decoded), 'answered'));
      return forward(upstream.url + path, body, response);
    }
    fired.add(fault);
    ledger.calls.push(brokenCall(decoded, fault.how));
    return answerFault(fault.how, decoded, response);
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    ledger,
    fired,
    stop: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await upstream.stop();
    },
  };
}

function identityOf(request: WireRequest): ProviderLedger['counts'][number] {
  return { task: taskOf(request), model: request.model, inputTokens: simulateInputTokens(request) };
}

function billed(request: WireRequest, answer: WireAnswer, end: 'answered' | 'broken'): ProviderCall {
  const call = { ...identityOf(request), maxOutputTokens: request.maxOutputTokens };
  if ('error' in answer) return { ...call, end: 'refused', microUsd: 0 };
  return { ...call, end, microUsd: priceOf(simulateUsage(request, answer.blocks), modelById(request.model)) };
}

function brokenCall(request: WireRequest, how: ModelFault): ProviderCall {
  const isRefused = how === 'rate_limit' || how === 'overloaded' || how === 'error';
  if (how === 'nonsense') return billed(request, NONSENSE, 'answered');
  const call = billed(request, answerWithTwoTasks(request), 'broken');
  return isRefused ? { ...call, end: 'refused', microUsd: 0 } : call;
}

/** As every prompt names it. */
function taskOf({ turns }: WireRequest): string {
  const texts = turns.flatMap(({ blocks }) =>
    blocks.map((block) => (block.type === 'text' ? block.text : '')),
  );
  return texts.map((each) => /^Task: (\S+)/m.exec(each)?.[1]).find((task) => task !== undefined) ?? '';
}

async function forward(url: string, body: string, response: ServerResponse): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  response.writeHead(answer.status, {
    'content-type': answer.headers.get('content-type') ?? 'application/json',
  });
  response.end(await answer.text());
}
