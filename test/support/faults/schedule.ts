import { mulberry32 } from '../generate-repository.ts';
import { type CallsOfARun, callsOfARun, type Driver, type Place, portOfCall } from './calls-of-a-run.ts';
import type { CallPoint, EmulatorFault, Fault, GithubFault, MessageFault, ModelFault } from './fault.ts';
import { GITHUB_ROUTES, type GithubRoute } from './github-faults.ts';

/** What goes wrong in one run. */
export interface Schedule {
  seed: number;
  on: Place;
  driver: Driver;
  faults: readonly Fault[];
}

const MAX_FAULTS = 5;
/** Calls of the model that a run makes. */
const MODEL_CALLS = 9;
/** In a row; the model's client makes up to three of one call. */
const MAX_REFUSALS = 4;

/** Kinds in the proportion in which they are drawn. */
const KINDS_ANYWHERE: readonly Fault['kind'][] = [
  'kill',
  'kill',
  'kill',
  'fail',
  'fail',
  'message',
  'message',
  'message',
  'clock',
  'model',
  'model',
  'github',
  'github',
];
const KINDS: Record<Place, readonly Fault['kind'][]> = {
  local: KINDS_ANYWHERE,
  cluster: [...KINDS_ANYWHERE, 'emulator', 'emulator'],
};
const MESSAGES: readonly MessageFault[] = ['drop', 'twice', 'delay', 'swap'];
const REFUSALS: readonly ModelFault[] = ['rate_limit', 'overloaded', 'error'];
const BREAKS: readonly ModelFault[] = ['slow', 'garbage', 'cut', 'nonsense'];
const GITHUB: readonly GithubFault[] = ['limit', 'unavailable', 'lost'];
const EMULATORS: readonly EmulatorFault[] = ['restart', 'pause', 'stall'];
/** Ports whose own calls may fail; GitHub and the model have stand-ins that do. */
const FAILING = ['store', 'queue', 'blobs', 'jobs', 'workflows'];
/** Every so manieth seed has its run driven by a workflow. */
const DRIVEN_SHARE = 3;

/** Random, and the same for the same seed: one to five faults of any kinds, in a run of either driver. */
export function scheduleOf(seed: number, on: Place): Schedule {
  const draw = drawer(seed);
  const driver = seed % DRIVEN_SHARE === DRIVEN_SHARE - 1 ? 'requirement' : 'direct';
  const calls = callsOfARun[on][driver];
  const count = 1 + draw.below(MAX_FAULTS);
  const faults = Array.from({ length: count }, () => faultOf(draw.one(KINDS[on]), draw, calls));
  return { seed, on, driver, faults };
}

/** So many schedules of one kill each; together they pass through every port, of the platform and of jobs. */
export function killSchedules(seed: number, count: number, on: Place): Schedule[] {
  const driver = 'requirement';
  const calls = callsOfARun[on][driver];
  const ports = drawer(seed).shuffled([...portsOf(calls).keys()]);
  return Array.from({ length: count }, (_, index) => {
    const draw = drawer(seed + index);
    const port = ports[index % ports.length];
    const point = pointOf(draw, calls, (name) => name === port);
    return { seed: seed + index, on, driver, faults: [killAt(point, draw)] };
  });
}

interface Draw {
  below(limit: number): number;
  one<T>(list: readonly T[]): T;
  shuffled<T>(list: readonly T[]): T[];
}

function drawer(seed: number): Draw {
  const random = mulberry32(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const one = <T>(list: readonly T[]): T => {
    const [first] = list;
    if (first === undefined) throw new Error('there is nothing to draw from');
    return list[below(list.length)] ?? first;
  };
  const shuffled = <T>(list: readonly T[]): T[] =>
    list
      .map((item) => ({ item, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ item }) => item);
  return { below, one, shuffled };
}

function faultOf(kind: Fault['kind'], draw: Draw, calls: CallsOfARun): Fault {
  switch (kind) {
    case 'kill':
      return killAt(pointOf(draw, calls), draw);
    case 'fail':
      return {
        kind,
        when: draw.one(['before', 'after', 'after']),
        ...pointOf(draw, calls, (_, call) => FAILING.includes(portOfCall(call)) && call !== 'blobs.signUrl'),
      };
    case 'message':
      return {
        kind,
        how: draw.one(MESSAGES),
        ...pointOf(draw, calls, (_, call) => call === 'queue.publish'),
      };
    case 'clock':
      return {
        kind,
        ...pointOf(draw, calls, (_, call) => call === 'store.query' || call === 'store.commit'),
      };
    case 'model':
      return modelFault(draw);
    case 'github': {
      const route = draw.one(Object.keys(GITHUB_ROUTES) as GithubRoute[]);
      return { kind, how: draw.one(GITHUB), route, nth: 1 + draw.below(GITHUB_ROUTES[route].times) };
    }
    default:
      return { kind, how: draw.one(EMULATORS), ...pointOf(draw, calls) };
  }
}

function killAt(point: CallPoint, draw: Draw): Fault {
  return { kind: 'kill', when: draw.one(['before', 'after']), ...point };
}

function modelFault(draw: Draw): Fault {
  const nth = 1 + draw.below(MODEL_CALLS);
  return draw.below(2) === 0
    ? { kind: 'model', how: draw.one(REFUSALS), nth, times: 1 + draw.below(MAX_REFUSALS) }
    : { kind: 'model', how: draw.one(BREAKS), nth, times: 1 };
}

type Wanted = (port: string, call: string) => boolean;

/** First one of the ports, then one of all its calls in a run: rare ports come up as often as busy ones. */
function pointOf(draw: Draw, calls: CallsOfARun, isWanted: Wanted = () => true): CallPoint {
  const ports = [...portsOf(calls, isWanted).values()];
  return draw.one(draw.one(ports));
}

/** Every call of a run, by the port that it belongs to. */
function portsOf(calls: CallsOfARun, isWanted: Wanted = () => true): Map<string, CallPoint[]> {
  const points = Object.entries(calls).flatMap(([process, names]) =>
    Object.entries(names).flatMap(([call, count]) =>
      Array.from({ length: count }, (_, index): CallPoint => ({ process, call, nth: index + 1 })),
    ),
  );
  const nameOf = ({ process, call }: CallPoint): string => `${process.split(' ')[0]} ${portOfCall(call)}`;
  return Map.groupBy(
    points.filter((point) => isWanted(nameOf(point), point.call)),
    nameOf,
  );
}
