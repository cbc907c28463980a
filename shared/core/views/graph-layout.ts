import type { Task } from '../task.ts';

export interface GraphNode {
  task: Task;
  /** From the left, from 0: how far along the run it stands. */
  column: number;
  /** From the top, from 0. */
  row: number;
}

export interface GraphEdge {
  from: GraphNode;
  to: GraphNode;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

/**
 * Where the tasks of a run stand in a picture: planning first, then the plan by level of dependency, then the platform's
 * rounds of integration, fixing and review in the order in which they were asked for.
 */
export function layoutGraph(tasks: readonly Task[]): Graph {
  const columns = [...columnOf(tasks, 'plan'), ...workColumns(tasks), ...roundColumns(tasks)];
  const nodes = columns.flatMap((column, x) => column.map((task, row) => ({ task, column: x, row })));
  return { nodes, edges: [...dependencyEdges(nodes), ...stageEdges(nodes)] };
}

function columnOf(tasks: readonly Task[], kind: Task['kind']): Task[][] {
  const column = tasks.filter((task) => task.kind === kind);
  return column.length === 0 ? [] : [column];
}

/** A task stands right of all its dependencies, beside the others of its level, near what it depends on. */
function workColumns(tasks: readonly Task[]): Task[][] {
  const levels = new Map<string, number>();
  let left = tasks.filter(({ kind }) => kind === 'work');
  const known = new Set(left.map(({ id }) => id));
  const columns: Task[][] = [];
  while (left.length > 0) {
    const isFree = (task: Task) => task.dependencies.every((id) => levels.has(id) || !known.has(id));
    const free = left.filter(isFree);
    // A cycle cannot be stored; if one is, it is drawn in one column rather than not at all.
    const column = free.length === 0 ? left : free;
    for (const { id } of column) levels.set(id, columns.length);
    columns.push(nearDependencies(column, columns.at(-1)));
    left = left.filter((task) => !column.includes(task));
  }
  return columns;
}

function nearDependencies(column: Task[], before: readonly Task[] | undefined): Task[] {
  const rows = new Map(before?.map(({ id }, row) => [id, row]));
  const weight = ({ dependencies }: Task) => {
    const places = dependencies.flatMap((id) => rows.get(id) ?? []);
    return places.length === 0 ? 0 : places.reduce((sum, row) => sum + row, 0) / places.length;
  };
  return column.toSorted((a, b) => weight(a) - weight(b) || a.id.localeCompare(b.id));
}

/** Tasks that were asked for together stand together. */
function roundColumns(tasks: readonly Task[]): Task[][] {
  const rounds = tasks.filter(({ kind }) => kind !== 'work' && kind !== 'plan');
  const byTime = Map.groupBy(
    rounds,
    ({ createdAt, kind }) => `${String(createdAt).padStart(16, '0')} ${kind}`,
  );
  return [...byTime.entries()].toSorted(([a], [b]) => a.localeCompare(b)).map(([, column]) => column);
}

function dependencyEdges(nodes: readonly GraphNode[]): GraphEdge[] {
  const byId = new Map(nodes.map((node) => [node.task.id, node]));
  return nodes.flatMap((to) =>
    to.task.dependencies.flatMap((id) => {
      const from = byId.get(id);
      return from === undefined ? [] : [{ from, to }];
    }),
  );
}

/** Between the plan's own tasks and the platform's stages nothing is recorded: each stage follows all that stood before it. */
function stageEdges(nodes: readonly GraphNode[]): GraphEdge[] {
  const work = nodes.filter(({ task }) => task.kind === 'work');
  const starts = work.filter(({ task }) => task.dependencies.length === 0);
  const sinks = work.filter(({ task }) => task.dependants.length === 0);
  const plan = nodes.filter(({ task }) => task.kind === 'plan');
  const rounds = nodes.filter(({ task }) => task.kind !== 'work' && task.kind !== 'plan');
  const columns = [...Map.groupBy(rounds, ({ column }) => column).values()];
  const chain = [sinks, ...columns];
  return [...joined(plan, starts), ...columns.flatMap((column, index) => joined(chain[index] ?? [], column))];
}

function joined(from: readonly GraphNode[], to: readonly GraphNode[]): GraphEdge[] {
  return from.flatMap((a) => to.map((b) => ({ from: a, to: b })));
}
