import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ProfiledFunction {
  name: string;
  selfMs: number;
  /** Of the time that anything was done. */
  percent: number;
}

interface ProfileNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
  children?: number[];
}

interface Profile {
  nodes: ProfileNode[];
  samples: number[];
  timeDeltas: number[];
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** Nothing was done, or the profile itself was begun. */
const NOT_COUNTED = /^(?:\(idle\)|\(root\)|post node:inspector)/;

/** The functions of a `.cpuprofile` with the most time of their own; native ones by who called them. */
export function readProfile(file: string, most: number): ProfiledFunction[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile;
  const parents = new Map(
    nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)),
  );
  const names = new Map(nodes.map((node) => [node.id, nameOf(node, parents)]));
  const selfMs = new Map<string, number>();
  samples.forEach((id, at) => {
    const name = names.get(id) ?? '';
    if (!NOT_COUNTED.test(name)) selfMs.set(name, (selfMs.get(name) ?? 0) + (timeDeltas[at] ?? 0) / 1_000);
  });
  const busyMs = [...selfMs.values()].reduce((sum, ms) => sum + ms, 0);
  return [...selfMs]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([name, ms]) => ({ name, selfMs: ms, percent: (ms / busyMs) * 100 }));
}

function nameOf({ id, callFrame }: ProfileNode, parents: ReadonlyMap<number, ProfileNode>): string {
  const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName;
  const caller = parents.get(id);
  if (callFrame.url !== '') return `${name} ${placeOf(callFrame)}`;
  if (caller === undefined || caller.callFrame.url === '') return name;
  return `${name} ← ${caller.callFrame.functionName} ${placeOf(caller.callFrame)}`;
}

function placeOf({ url, lineNumber }: ProfileNode['callFrame']): string {
  const file = url.startsWith('file:') ? relative(PROJECT, fileURLToPath(url)) : url;
  return `${file}:${lineNumber + 1}`;
}
