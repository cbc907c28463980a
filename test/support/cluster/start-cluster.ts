import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_ROUTE, ROUTES } from '../../../shared/runtime/routes.ts';
import { type Subscription, SUBSCRIPTIONS } from '../../../shared/runtime/subscriptions.ts';
import { type Emulators, startEmulators } from '../emulators.ts';
import { environmentOf, jobOf, PLACE } from './cluster-environment.ts';
import { createSubscriptions } from './create-subscriptions.ts';
import { freePorts } from './free-ports.ts';
import { openFrontDoor } from './front-door.ts';
import { type FunctionProcess, functionProcess } from './function-process.ts';
import { startScheduler } from './scheduler.ts';
import { type StandIns, startStandIns } from './stand-ins.ts';
import { warmUp } from './warm-up.ts';
import { startWorkflowService } from './workflow-service.ts';

export interface ClusterOptions {
  /** Of the front door. @default a free one */
  port?: number;
  /** For every function, on top of what points it to the emulators: GitHub, the model, policies. */
  env?: Record<string, string>;
  /** Folder with a folder per built function; without, they run from source. */
  built?: string;
  /** Module that registers a function, in place of its own. */
  sourceOf?: (name: string) => string;
  /** Already running, and left running. @default own ones */
  emulators?: Emulators;
  /** Records and topics of another project are not seen. @default `penstock-cluster` */
  projectId?: string;
  /** Logs, blobs and workspaces. @default a new one, removed by `stop` */
  folder?: string;
  /** 0: nobody sweeps but the caller. @default 60, as Cloud Scheduler */
  sweepSeconds?: number;
  /** Program of the job lane, as Cloud Run's image would have another. @default functions/agent-job/main.ts */
  jobProgram?: string;
  /** In place of the delivery that Terraform makes. */
  delivery?: Partial<Omit<Subscription, 'function' | 'topic'>>;
}

/** The whole system as separate processes on this machine, with Google's emulators and stand-ins underneath. */
export interface Cluster {
  /** Of the front door. */
  url: string;
  /** What every function runs with. */
  environment: Record<string, string>;
  folder: string;
  emulators: Emulators;
  /** Cloud Storage and Cloud Run, and what can go wrong there. */
  standIns: StandIns;
  functions: readonly string[];
  portOf(name: string): number;
  pidOf(name: string): number | undefined;
  /** Kills one function's process at once. */
  kill(name: string): Promise<void>;
  /** Begins it again on its port, killed or not. */
  restart(name: string): Promise<void>;
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('../../..', import.meta.url));
const HTTP = [...new Set([...ROUTES.map((route) => route.function), DEFAULT_ROUTE])];
const NAMES = [...HTTP, ...SUBSCRIPTIONS.map((subscription) => subscription.function)];

export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const cleanups: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    return await compose(options, cleanups, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

type Cleanups = (() => Promise<unknown>)[];

async function compose(
  options: ClusterOptions,
  cleanups: Cleanups,
  stop: () => Promise<void>,
): Promise<Cluster> {
  const folder = await openFolder(options.folder, cleanups);
  const emulators = await openEmulators(options.emulators, cleanups);
  const ports = await freePorts(NAMES.length);
  const portOf = (name: string): number => ports[NAMES.indexOf(name)] ?? unknown(name);
  const urlOf = (name: string): string => `http://127.0.0.1:${portOf(name)}`;
  const door = await openFrontDoor({ port: options.port ?? 0, portOf });
  cleanups.push(() => door.stop());
  const project = options.projectId ?? 'penstock-cluster';
  const standIns = await startStandIns({ ...jobOf(options, folder, door.url), ...PLACE, folder, project });
  cleanups.push(() => standIns.stop());
  const { region } = PLACE;
  const workflows = await startWorkflowService({ project, region, stagesUrl: door.url, folder });
  cleanups.push(() => workflows.stop());
  const environment = environmentOf(options, { emulators, standIns, workflows, project, url: door.url });
  const programs = createPrograms({ ...options, folder, environment, portOf });
  cleanups.push(() => Promise.all([...programs.values()].map((program) => program.kill())));
  await Promise.all([...programs.values()].map((program) => program.start()));
  const { sweepSeconds = 60, delivery = {} } = options;
  const { pubsubHost } = emulators;
  cleanups.push(await createSubscriptions({ pubsubHost, projectId: project, urlOf, delivery }));
  await warmUp(HTTP.map(urlOf));
  if (sweepSeconds > 0) {
    const scheduler = startScheduler(door.url, sweepSeconds * 1_000);
    cleanups.push(() => scheduler.stop());
  }
  const programOf = (name: string): FunctionProcess => programs.get(name) ?? unknown(name);
  return {
    url: door.url,
    environment,
    folder,
    emulators,
    standIns,
    functions: NAMES,
    portOf,
    pidOf: (name) => programOf(name).pid(),
    kill: (name) => programOf(name).kill(),
    restart: async (name) => {
      await programOf(name).kill();
      await programOf(name).start();
    },
    stop,
  };
}

function unknown(name: string): never {
  throw new Error(`no function is named ${name}: ${NAMES.join(', ')}`);
}

async function openFolder(given: string | undefined, cleanups: Cleanups): Promise<string> {
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'penstock-cluster-')));
  if (given === undefined) cleanups.push(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'logs'), { recursive: true });
  return folder;
}

async function openEmulators(given: Emulators | undefined, cleanups: Cleanups): Promise<Emulators> {
  if (given !== undefined) return given;
  const emulators = await startEmulators();
  cleanups.push(() => emulators.stop());
  return emulators;
}

interface Programs extends Pick<ClusterOptions, 'built' | 'sourceOf'> {
  folder: string;
  environment: Record<string, string>;
  portOf: (name: string) => number;
}

function createPrograms({
  built,
  folder,
  environment,
  portOf,
  ...given
}: Programs): Map<string, FunctionProcess> {
  const ownSource = (name: string): string =>
    built === undefined ? join(root, 'functions', name, 'index.ts') : join(built, name);
  const { sourceOf = ownSource } = given;
  const programOf = (name: string): FunctionProcess =>
    functionProcess({
      name,
      source: sourceOf(name),
      signature: HTTP.includes(name) ? 'http' : 'cloudevent',
      port: portOf(name),
      env: environment,
      logFile: join(folder, 'logs', `${name}.log`),
    });
  return new Map(NAMES.map((name) => [name, programOf(name)]));
}
