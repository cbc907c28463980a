import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type BenchGithub, startGithubProcess } from './github-process.ts';
import { createHttpClient, type HttpClient } from './http-client.ts';
import { startHostProcess } from './host-process.ts';
import { percentile } from './percentile.ts';
import { openRecords } from './read-records.ts';
import { diamond } from './shapes.ts';
import { bodyOf } from './submit-shape.ts';

/** How one door answers, as `--json` prints it. */
export interface DoorResult {
  door: string;
  clients: number;
  requests: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
  perSecond: number;
  /** Of the platform until then. */
  modelCalls: number;
}

export interface BenchedDoors {
  results: DoorResult[];
  problems: string[];
}

const CLIENTS = 50;
const REQUESTS = 1_000;
const WARM_UP = 100;
/** Of an account that may only read: decomposition asks GitHub for its permission and ends the run before any model call. */
const READER = 'rita';

interface Sent {
  body: string;
  headers: Record<string, string>;
}

/**
 * Both doors under clients that each send their next request when the last one is answered, while the platform works off
 * what they started: requirements with a plan of one task, and labelled issues of somebody who may not start a run.
 */
export async function benchDoors(): Promise<BenchedDoors> {
  const github = await startGithubProcess(READER);
  const model = await startFailingModel();
  const host = await startHostProcess({
    env: { ...github.environment, ANTHROPIC_BASE_URL: model.url },
  });
  const client = createHttpClient(host.url, CLIENTS);
  const doors = [
    { path: '/api/requirements', make: requirement },
    { path: '/webhooks/github', make: webhookMaker(github) },
  ];
  try {
    const results: DoorResult[] = [];
    for (const { path, make } of doors) {
      await knock(client, path, Array.from({ length: WARM_UP }, make));
      const timing = await knock(client, path, Array.from({ length: REQUESTS }, make));
      // What the webhooks started would keep the GitHub stand-in busy for minutes; it is left when they are answered.
      if (path === '/api/requirements') await host.ask('idle');
      results.push({ door: `POST ${path}`, ...timing, modelCalls: model.calls() });
    }
    return { results, problems: judge(host.dataFolder, results) };
  } finally {
    client.close();
    host.remove();
    model.stop();
    github.remove();
  }
}

async function knock(
  client: HttpClient,
  path: string,
  requests: Sent[],
): Promise<Omit<DoorResult, 'door' | 'modelCalls'>> {
  const elapsedMs: number[] = [];
  const start = performance.now();
  const next = requests.values();
  const one = async (): Promise<void> => {
    for (const { body, headers } of next) {
      const answer = await client.post(path, body, headers);
      if (answer.status !== 202) throw new Error(`POST ${path} was refused: ${answer.status} ${answer.body}`);
      elapsedMs.push(answer.elapsedMs);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, one));
  return {
    clients: CLIENTS,
    requests: requests.length,
    p50Ms: tenths(percentile(elapsedMs, 0.5)),
    p95Ms: tenths(percentile(elapsedMs, 0.95)),
    maxMs: tenths(percentile(elapsedMs, 1)),
    perSecond: Math.round((requests.length / (performance.now() - start)) * 1_000),
  };
}

function requirement(): Sent {
  return { body: bodyOf(diamond().slice(0, 1)), headers: {} };
}

/** Signed as GitHub signs. No two bodies are the same, or the second would be a redelivery. */
function webhookMaker({ repository, installationId, issue, webhookSecret }: BenchGithub): () => Sent {
  let sent = 0;
  return () => {
    const body = JSON.stringify({
      action: 'labeled',
      label: { name: 'penstock' },
      issue: {
        ...issue,
        labels: [{ name: 'penstock' }],
        title: `Todos need priority ${(sent += 1)}`,
        body: 'High, normal and low.',
      },
      repository: { full_name: repository },
      installation: { id: installationId },
      sender: { login: READER, type: 'User' },
    });
    const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
    return {
      body,
      headers: {
        'x-github-event': 'issues',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': `sha256=${signature}`,
      },
    };
  };
}

/** Every 202 is a stored run, and no model was asked. */
function judge(dataFolder: string, results: DoorResult[]): string[] {
  const records = openRecords(dataFolder);
  const stored = records.runs().length;
  records.close();
  const due = results.reduce((sum, { requests }) => sum + requests + WARM_UP, 0);
  const calls = results.at(-1)?.modelCalls ?? 0;
  return [
    ...(stored === due ? [] : [`doors: ${due} requests were accepted, ${stored} runs are stored`]),
    ...(calls === 0 ? [] : [`doors: ${calls} model calls were made, none is due`]),
  ];
}

/** Fails whoever asks, and counts them. */
async function startFailingModel(): Promise<{ url: string; calls(): number; stop(): void }> {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls += 1;
    response.writeHead(500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls: () => calls, stop: () => server.close() };
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
