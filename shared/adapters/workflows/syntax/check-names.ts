import type { Named, Position, Routine, Step, StepList } from './ast.ts';
import type { Problems } from './problems.ts';
import { expressionsOf } from './template.ts';
import { type Inner, listsWithin, stepsWithin, templatesOf } from './walk.ts';

/** Variables of one block, and those around it. */
interface Block {
  readonly outer?: Block;
  readonly names: Set<string>;
  /** Of a branch or iteration of a parallel step: what it may write outside. */
  readonly shared?: ReadonlySet<string>;
}

interface Check {
  readonly problems: Problems;
  readonly routines: ReadonlySet<string>;
  /** Reads, judged when everything is declared: a step may be reached by a jump from below. */
  readonly reads: { name: string; block: Block; place: () => Position }[];
}

/**
 * Finds out which block owns each variable: the outermost in which it is assigned before or around the place. Fills in `locals`,
 * and reports reads of what is nowhere assigned and writes of a branch to what is not shared.
 */
export function checkNames(routine: Routine, routines: ReadonlySet<string>, problems: Problems): void {
  const check: Check = { problems, routines, reads: [] };
  const top: Block = { names: new Set(routine.parameters.map(({ name }) => name)) };
  walkList(routine.scope.steps, top, check);
  routine.scope.locals = [...top.names];
  for (const { name, block, place } of check.reads) {
    if (!isVisible(name, block) && !routines.has(name))
      problems.error(place(), `symbol '${name}' is neither a variable nor a subworkflow name`);
  }
}

function walkList({ steps }: StepList, block: Block, check: Check): void {
  for (const step of steps) walkStep(step, block, check);
}

function walkStep(step: Step, block: Block, check: Check): void {
  const { body } = step;
  for (const template of templatesOf(step)) {
    for (const { expression, place } of expressionsOf(template)) {
      for (const { name, offset } of expression.names)
        check.reads.push({ name, block, place: () => place(offset) });
    }
  }
  if (body.kind === 'assign')
    for (const { target } of body.assignments) write(target, target.path.length > 0, { block, check });
  if (body.kind === 'call' && body.result !== undefined) write(body.result, false, { block, check });
  if (body.kind === 'parallel') {
    for (const { name, position } of body.shared) check.reads.push({ name, block, place: () => position });
  }
  for (const inner of stepsWithin(step)) walkStep(inner, block, check);
  for (const inner of listsWithin(step)) walkInner(inner, step, { block, check });
}

function walkInner(inner: Inner, { body }: Step, { block, check }: { block: Block; check: Check }): void {
  if (inner.scope === undefined) {
    walkList(inner.steps, block, check);
    return;
  }
  const own: Block = {
    outer: block,
    names: new Set(inner.sets),
    ...(body.kind === 'parallel' ? { shared: new Set(body.shared.map(({ name }) => name)) } : {}),
  };
  walkList(inner.steps, own, check);
  inner.scope.locals = [...own.names].filter((name) => !inner.sets.includes(name));
}

/** The first write of a name declares it. A write into something declares nothing: it must be there. */
function write(
  { name, position }: Named,
  isInto: boolean,
  { block, check }: { block: Block; check: Check },
): void {
  const { problems, routines, reads } = check;
  if (routines.has(name)) problems.error(position, `'${name}' is a subworkflow and cannot be assigned`);
  if (!isVisible(name, block)) {
    if (isInto) reads.push({ name, block, place: () => position });
    else block.names.add(name);
    return;
  }
  for (let at: Block | undefined = block; at !== undefined && !at.names.has(name); at = at.outer) {
    if (at.shared === undefined || at.shared.has(name)) continue;
    problems.error(
      position,
      `'${name}' is written in a branch of a parallel step that does not name it under 'shared'`,
    );
    return;
  }
}

function isVisible(name: string, block: Block): boolean {
  for (let at: Block | undefined = block; at !== undefined; at = at.outer)
    if (at.names.has(name)) return true;
  return false;
}
