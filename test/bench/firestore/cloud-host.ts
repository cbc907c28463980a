import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { PLACE } from '../../support/cluster/cluster-environment.ts';
import { type Cluster, startCluster } from '../../support/cluster/start-cluster.ts';
import { whyNoEmulators } from '../../support/emulator-root.ts';
import { emptyBill } from '../../support/count-ports.ts';
import { createHttpClient } from '../http-client.ts';
import { postShape, readTiming, SUBMITTERS, type SubmitShape, TIMEOUT_MS } from '../submit-shape.ts';
import { askFunction } from './ask-function.ts';
import { type CloudPlace, type CloudRecords, openCloudRecords } from './cloud-records.ts';
import { emptyDatabase } from './empty-database.ts';
import {
  type FunctionBill,
  type FunctionQuestion,
  socketOf,
  SOCKETS_VARIABLE,
} from './function-questions.ts';
import { POOLS } from './pools.ts';

/** The system as separate processes on Google's emulators. */
export interface CloudHost {
  /** As JSON, what the recount is told. */
  place: CloudPlace;
  submit: SubmitShape;
  /** An empty database again: to find what is asked for, the emulator reads all that it holds, where Firestore has an index. */
  clear(): Promise<void>;
  /** Of all functions together. */
  bill(): Promise<FunctionBill>;
  rss(): Promise<number>;
  profile(): Promise<void>;
  /** Answers the files, one of each function that handles messages of the shapes. */
  saveProfiles(name: string): Promise<string[]>;
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('function.ts', import.meta.url));
const POLL_MS = 100;
const LOG_TAIL_CHARS = 2_000;
/** What the shapes reach. */
const PROFILED = ['decomposition', 'agent-execution', 'result-handling'];

export async function startCloudHost(env: Record<string, string>): Promise<CloudHost> {
  const missing = whyNoEmulators();
  if (missing !== undefined) throw new Error(missing);
  const folder = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  // Also where the bench is interrupted; its processes end with it.
  process.once('exit', remove);
  const cluster = await startCluster({
    folder,
    sweepSeconds: 0,
    sourceOf: () => PROGRAM,
    env: {
      [SOCKETS_VARIABLE]: folder,
      PENSTOCK_DRIVER: 'direct',
      // Nobody answers there: a call of a model or of GitHub would fail its run, and with it the bench.
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      GITHUB_API_URL: 'http://127.0.0.1:9',
      ...env,
    },
  });
  const place = placeOf(cluster);
  const client = createHttpClient(cluster.url, SUBMITTERS);
  const records = openCloudRecords(place);
  const ask = <Q extends FunctionQuestion>(name: string, question: Q, text?: string) =>
    askFunction(socketOf(folder, name), question, text);
  const askAll = <Q extends FunctionQuestion>(question: Q) =>
    Promise.all(cluster.functions.map((name) => ask(name, question)));
  const bill = async (): Promise<FunctionBill> => addBills(await askAll('bill'));
  const host: CloudHost = {
    place,
    submit: async (shape) => {
      const { runs, start } = await postShape(client, shape, () => '');
      const left = [...runs];
      await within(`the end of ${shape.name}`, folder, () => haveEnded(records, left));
      await within(`the last message of ${shape.name}`, folder, async () => isIdle(await bill()));
      return readTiming(await records.load(runs), runs, start);
    },
    clear: async () => {
      await emptyDatabase(place.firestoreHost, place.project);
      await setPools(cluster.url);
    },
    bill,
    rss: async () => (await askAll('memory')).reduce((sum, { rss }) => sum + rss, 0),
    profile: async () => {
      await Promise.all(PROFILED.map((name) => ask(name, 'profile')));
    },
    saveProfiles: (name) =>
      Promise.all(
        PROFILED.map(async (each) => {
          const file = join(tmpdir(), `penstock-bench-${name}-${each}.cpuprofile`);
          await ask(each, 'saveProfile', file);
          return file;
        }),
      ),
    stop: async () => {
      client.close();
      await records.close();
      await cluster.stop();
      remove();
      process.off('exit', remove);
    },
  };
  try {
    await setPools(cluster.url);
  } catch (error) {
    await host.stop();
    throw error;
  }
  return host;
}

function placeOf({ environment }: Cluster): CloudPlace {
  return {
    project: environment['GOOGLE_CLOUD_PROJECT'] ?? '',
    firestoreHost: environment['FIRESTORE_EMULATOR_HOST'] ?? '',
    storageUrl: environment['STORAGE_EMULATOR_HOST'] ?? '',
    bucket: PLACE.bucket,
  };
}

/** As a team admin does. */
async function setPools(url: string): Promise<void> {
  const response = await fetch(`${url}/api/tenants/local`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify({ licence: {}, settings: { pools: POOLS } }),
  });
  if (!response.ok) throw new Error(`the pools were refused: ${response.status} ${await response.text()}`);
}

/** Takes out of `left` what has ended: nobody asks for it again. */
async function haveEnded(records: CloudRecords, left: string[]): Promise<boolean> {
  while (left[0] !== undefined && (await records.hasEnded(left[0]))) left.shift();
  return left.length === 0;
}

/** Each topic that the shapes reach has one subscription; a delivery that failed is not counted as handled. */
function isIdle({ messages, handled }: FunctionBill): boolean {
  return handled >= Object.values(messages).reduce((sum, count) => sum + count, 0);
}

async function within(what: string, folder: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) {
      const log = await readFile(join(folder, 'logs/agent-execution.log'), 'utf8');
      const end = log.slice(-LOG_TAIL_CHARS);
      throw new Error(
        `${what} has not come after ${TIMEOUT_MS} ms; the log of agent-execution ends in:\n${end}`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** The sum of them. */
export function addBills(bills: FunctionBill[]): FunctionBill {
  const total = { ...emptyBill(), handled: 0, commits: 0, commitRequests: 0 };
  for (const { messages, ...counts } of bills) {
    for (const [topic, count] of Object.entries(messages))
      total.messages[topic] = (total.messages[topic] ?? 0) + count;
    for (const key of Object.keys(counts) as (keyof typeof counts)[]) total[key] += counts[key];
  }
  return total;
}
