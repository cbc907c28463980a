import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { emulatorRoot } from './groups.ts';

export interface Emulators {
  /** `host:port`, as in `FIRESTORE_EMULATOR_HOST`. */
  firestoreHost: string;
  /** `host:port`, as in `PUBSUB_EMULATOR_HOST`. */
  pubsubHost: string;
  projectId: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;

/**
 * Google's own Firestore and Pub/Sub emulators on free ports, and the environment that the clients look for. Started
 * with Java directly, because the wrapper of the Google Cloud CLI is slow and leaves the Java process behind.
 */
export async function startEmulators(
  which: ('firestore' | 'pubsub')[] = ['firestore', 'pubsub'],
): Promise<Emulators> {
  const root = emulatorRoot();
  if (root === undefined) throw new Error('no emulators here: ask group("emulators") first');
  const [firestorePort, pubsubPort] = await Promise.all([freePort(), freePort()]);
  const firestoreHost = `127.0.0.1:${firestorePort}`;
  const pubsubHost = `127.0.0.1:${pubsubPort}`;
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map(end));
  };
  try {
    if (which.includes('firestore')) children.push(startJava(firestoreCommand(root, firestorePort)));
    if (which.includes('pubsub')) children.push(startJava(pubsubCommand(root, pubsubPort)));
    const hosts = which.map((name) => (name === 'firestore' ? firestoreHost : pubsubHost));
    await Promise.all(hosts.map((host, at) => answers(host, children[at])));
  } catch (error) {
    await stop();
    throw error;
  }
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  process.env['FIRESTORE_EMULATOR_HOST'] = firestoreHost;
  process.env['PUBSUB_EMULATOR_HOST'] = pubsubHost;
  return { firestoreHost, pubsubHost, projectId: 'penstock-test', stop };
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
  const flags = ['-Xmx256m', '-XX:TieredStopAtLevel=1'];
  return spawn('sh', ['-c', LEASHED_JAVA, 'sh', ...flags, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  server.close();
  await once(server, 'close');
  return address.port;
}
