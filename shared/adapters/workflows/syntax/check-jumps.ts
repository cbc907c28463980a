import type { Named, Routine, Step, StepList } from './ast.ts';
import type { Problems } from './problems.ts';
import { type Inner, listsWithin, stepsWithin } from './walk.ts';

interface Around {
  readonly steps: StepList;
  readonly kind: Inner['kind'];
  readonly outer?: Around;
}

/** The most that parallel steps may stand within each other. */
const PARALLEL_DEPTH = 2;

/** Reports jumps to steps that are not there or cannot be reached from where they stand. */
export function checkJumps(routine: Routine, problems: Problems): void {
  const check = { problems, isMain: routine.name === 'main' };
  walk({ steps: routine.scope.steps, kind: 'steps' }, check);
}

interface Check {
  problems: Problems;
  isMain: boolean;
}

function walk(around: Around, check: Check): void {
  for (const step of around.steps.steps) walkStep(step, around, check);
}

function walkStep(step: Step, around: Around, check: Check): void {
  const { problems } = check;
  if (step.next !== undefined) checkNext(step.next, around, check);
  if (step.body.kind === 'return' && isInBranch(around))
    problems.error(step.position, `step '${step.name}': a branch of a parallel step cannot return`);
  if (step.body.kind === 'parallel' && parallelDepth(around) >= PARALLEL_DEPTH)
    problems.unverified(
      step.position,
      `step '${step.name}': more than ${PARALLEL_DEPTH} parallel steps within each other raise a ParallelNestingError`,
    );
  for (const inner of stepsWithin(step)) walkStep(inner, around, check);
  for (const { steps, kind } of listsWithin(step)) walk({ steps, kind, outer: around }, check);
}

function checkNext({ name, position }: Named, around: Around, { problems, isMain }: Check): void {
  if (name === 'end') {
    if (isInBranch(around)) problems.error(position, `'next: end' cannot leave a branch of a parallel step`);
    else if (!isMain)
      problems.unverified(position, `'next: end' in a subworkflow goes back to its caller, with null`);
    return;
  }
  if (name === 'break' || name === 'continue') {
    checkLoopJump({ name, position }, around, problems);
    return;
  }
  for (let at: Around | undefined = around; at !== undefined; at = at.outer) {
    if (at.steps.indexOf.has(name)) return;
    if (at.kind === 'branch') break;
    if (at.kind === 'for' && hasOutside(name, at))
      problems.unverified(position, `a jump out of a 'for' to step '${name}' around it`);
  }
  problems.error(
    position,
    `there is no step '${name}' to go to from here: it must stand in the same list or one around it, and in the same branch`,
  );
}

function hasOutside(name: string, { outer }: Around): boolean {
  for (let at = outer; at !== undefined; at = at.kind === 'branch' ? undefined : at.outer)
    if (at.steps.indexOf.has(name)) return true;
  return false;
}

function checkLoopJump({ name, position }: Named, around: Around, problems: Problems): void {
  for (let at: Around | undefined = around; at !== undefined; at = at.outer) {
    if (at.kind === 'for') return;
    if (at.kind === 'branch') {
      problems.error(position, `'next: ${name}' cannot leave a branch of a parallel step`);
      return;
    }
  }
  problems.error(position, `'next: ${name}' stands in no 'for'`);
}

function isInBranch(around: Around): boolean {
  return parallelDepth(around) > 0;
}

function parallelDepth(around: Around): number {
  let depth = 0;
  for (let at: Around | undefined = around; at !== undefined; at = at.outer)
    if (at.kind === 'branch') depth += 1;
  return depth;
}
