import { html } from 'hono/html';
import { layoutGraph, type GraphEdge, type GraphNode } from '../../../shared/core/views/graph-layout.ts';
import { spentMicroUsd, type Task } from '../../../shared/core/task.ts';
import { clockTime, cut, duration, usd } from './format.ts';
import { glyphOf, type Html, toneOf } from './html.ts';

const WIDTH = 168;
const HEIGHT = 52;
const GAP_X = 34;
const GAP_Y = 14;
const MARGIN = 14;
const TITLE_CHARS = 18;
const UNDER_CHARS = 27;

/** The tasks of a run from left to right; each leads to its log. */
export function graph(tasks: readonly Task[], now: number): Html {
  const { nodes, edges } = layoutGraph(tasks);
  const rows = new Map<number, number>();
  for (const { column } of nodes) rows.set(column, (rows.get(column) ?? 0) + 1);
  const tallest = Math.max(1, ...rows.values());
  const place = ({ column, row }: GraphNode) => ({
    x: MARGIN + column * (WIDTH + GAP_X),
    // Shorter columns stand in the middle.
    y: MARGIN + (row + (tallest - (rows.get(column) ?? 1)) / 2) * (HEIGHT + GAP_Y),
  });
  const width = MARGIN * 2 + Math.max(1, rows.size) * (WIDTH + GAP_X) - GAP_X;
  const height = MARGIN * 2 + tallest * (HEIGHT + GAP_Y) - GAP_Y;
  return html`<svg
    class="graph"
    width="${width}"
    height="${height}"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label="Tasks of the run"
  >
    ${edges.map((edge) => edgePath(edge, place))} ${nodes.map((node) => box(node, place(node), now))}
  </svg>`;
}

function edgePath({ from, to }: GraphEdge, place: (node: GraphNode) => { x: number; y: number }): Html {
  const start = place(from);
  const end = place(to);
  const [x1, y1, y2] = [start.x + WIDTH, start.y + HEIGHT / 2, end.y + HEIGHT / 2];
  const middle = end.x - GAP_X / 2;
  return html`<path d="M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${end.x} ${y2}" />`;
}

function box({ task }: GraphNode, { x, y }: { x: number; y: number }, now: number): Html {
  const last = task.attempts.at(-1);
  const inside = html`<title>${task.id} · ${task.title} · ${task.state}</title>
    <rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="8" />
    <text class="mark" x="${x + 11}" y="${y + 22}">${glyphOf(task.state)}</text>
    <text class="title" x="${x + 28}" y="${y + 22}">${cut(task.id, TITLE_CHARS)}</text>
    <text class="under" x="${x + 11}" y="${y + 41}">${cut(under(task, now), UNDER_CHARS)}</text>`;
  const tone = toneOf(task.state);
  if (last === undefined) return html`<g class="${tone}">${inside}</g>`;
  return html`<a class="${tone}" href="?log=${task.id}.${last.generation}#log">${inside}</a>`;
}

/** What matters most about a task in a few words. */
function under(task: Task, now: number): string {
  const last = task.attempts.at(-1);
  const changed = task.result?.changeSet;
  if (task.live && task.notBefore > now)
    return `attempt ${task.attempts.length + 1} at ${clockTime(task.notBefore)}`;
  const parts = [
    ...(task.attempts.length > 1 ? [`attempt ${task.attempts.length}`] : []),
    ...(changed === undefined ? [] : [`+${changed.added} −${changed.deleted}`]),
    ...(last === undefined ? [task.agent] : [duration((last.endedAt ?? now) - last.startedAt)]),
    ...(spentMicroUsd(task) > 0 ? [usd(spentMicroUsd(task))] : []),
  ];
  return parts.join(' · ');
}
