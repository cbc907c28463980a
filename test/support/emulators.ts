import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './cluster/free-ports.ts';
import { emulatorRoot } from './emulator-root.ts';

export interface Emulators {
  /** `host:port`, as in `FIRESTORE_EMULATOR_HOST`. */
  firestoreHost: string;
  /** `host:port`, as in `PUBSUB_EMULATOR_HOST`. */
  pubsubHost: string;
  projectId: string;
  stop(): Promise<void>;
}

type Which = 'firestore' | 'pubsub';

/** Emulators of this process, which can break down. */
export interface OwnEmulators extends Emulators {
  /** Ends one as a crash does and, after so long, begins it again on its port: it has lost all that it held. */
  restart(which: Which, downMs?: number): Promise<void>;
  /** Resolves with the name of the first that ends by itself. */
  ended(): Promise<Which>;
  /** One answers nobody for so long; then it does what it was asked. */
  pause(which: Which, ms: number): Promise<void>;
}

const START_TIMEOUT_MS = 120_000;

/**
 * Google's own Firestore and Pub/Sub emulators on free ports, and the environment that the clients look for. Started
 * with Java directly, because the wrapper of the Google Cloud CLI is slow and leaves the Java process behind.
 */
export async function startEmulators(which: Which[] = ['firestore', 'pubsub']): Promise<OwnEmulators> {
  const root = emulatorRoot();
  if (root === undefined) throw new Error('no emulators here: ask group("emulators") first');
  const [firestorePort = 0, pubsubPort = 0] = await freePorts(2);
  const firestoreHost = `127.0.0.1:${firestorePort}`;
  const pubsubHost = `127.0.0.1:${pubsubPort}`;
  const hosts = { firestore: firestoreHost, pubsub: pubsubHost };
  const commands = {
    firestore: firestoreCommand(root, firestorePort),
    pubsub: pubsubCommand(root, pubsubPort),
  };
  const children = new Map<Which, ChildProcess>();
  const start = async (name: Which): Promise<void> => {
    const child = startJava(commands[name]);
    children.set(name, child);
    await answers(hosts[name], child);
  };
  const childOf = (name: Which): ChildProcess => {
    const child = children.get(name);
    if (child === undefined) throw new Error(`the ${name} emulator was not started`);
    return child;
  };
  const stop = async () => {
    await Promise.all([...children.values()].map(end));
  };
  try {
    await Promise.all(which.map(start));
  } catch (error) {
    await stop();
    throw error;
  }
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  process.env['FIRESTORE_EMULATOR_HOST'] = firestoreHost;
  process.env['PUBSUB_EMULATOR_HOST'] = pubsubHost;
  return {
    firestoreHost,
    pubsubHost,
    projectId: 'penstock-test',
    stop,
    restart: async (name, downMs = 0) => {
      await end(childOf(name));
      await sleep(downMs);
      await start(name);
    },
    ended: () =>
      Promise.race([...children].map(async ([name, child]) => once(child, 'exit').then(() => name))),
    pause: async (name, ms) => {
      const java = javaOf(childOf(name));
      process.kill(java, 'SIGSTOP');
      await sleep(ms);
      process.kill(java, 'SIGCONT');
    },
  };
}

function firestoreCommand(root: string, port: number): string[] {
  const jar = `${root}/platform/cloud-firestore-emulator/cloud-firestore-emulator.jar`;
  const main = 'com.google.cloud.datastore.emulator.firestore.CloudFirestore';
  return [
    '-cp',
    jar,
    main,
    'start',
    '--host=127.0.0.1',
    `--port=${port}`,
    '--database-mode=firestore-native',
  ];
}

function pubsubCommand(root: string, port: number): string[] {
  const folder = `${root}/platform/pubsub-emulator/lib`;
  const jar = readdirSync(folder).find((name) => /^cloud-pubsub-emulator-.*-all\.jar$/.test(name));
  if (jar === undefined)
    throw new Error(`no emulator in ${folder}: install the pubsub-emulator component again`);
  return ['-jar', `${folder}/${jar}`, '--host=127.0.0.1', `--port=${port}`];
}

/** The shell kills Java when its own input ends, and that ends with this process, however it dies. */
const LEASHED_JAVA = 'exec 3<&0; java "$@" 3<&- & java=$!; (read -r _ <&3; kill -9 $java) & wait $java';

function startJava(args: string[]): ChildProcess {
  // What a long life would pay back, a short one does not: the second compiler, a collector with threads of its own.
  const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
  return spawn('sh', ['-c', LEASHED_JAVA, 'sh', ...flags, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
}

/** The shell's child by that name. */
function javaOf({ pid }: ChildProcess): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const java = children.find((child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim() === 'java');
  if (java === undefined) throw new Error(`process ${pid} has no java`);
  return Number(java);
}

async function answers(host: string, child: ChildProcess | undefined): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    if (child?.exitCode !== null && child?.exitCode !== undefined)
      throw new Error(`java ended with ${child.exitCode}`);
    const isUp = await fetch(`http://${host}/`, { signal: AbortSignal.timeout(1000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) return;
    await sleep(50);
  }
  throw new Error(`the emulator at ${host} did not answer in ${START_TIMEOUT_MS} ms`);
}

async function end(child: ChildProcess): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
  child.stdin?.end();
  await ended;
}
