import type { Branch, Loop, Scoped, Step, StepList, Template } from './ast.ts';

/** The step lists directly inside a step, with the block each opens. */
export interface Inner {
  readonly steps: StepList;
  /** Present where the block has variables of its own. */
  readonly scope?: Scoped;
  readonly kind: 'steps' | 'for' | 'branch' | 'except';
  /** Variables that the block itself sets. */
  readonly sets: readonly string[];
}

/** Steps that stand in a step without a list: those of conditions and of `try`. */
export function stepsWithin({ body }: Step): readonly Step[] {
  if (body.kind === 'switch') return body.conditions.map(({ step }) => step);
  return body.kind === 'try' ? [body.body] : [];
}

export function listsWithin({ body }: Step): Inner[] {
  switch (body.kind) {
    case 'steps':
      return [{ steps: body.steps, kind: 'steps', sets: [] }];
    case 'for':
      return [inLoop(body.loop, 'for')];
    case 'parallel':
      return [
        ...(body.branches ?? []).map(inBranch),
        ...(body.loop === undefined ? [] : [inLoop(body.loop, 'branch')]),
      ];
    case 'try':
      return body.except === undefined
        ? []
        : [
            {
              steps: body.except.scope.steps,
              scope: body.except.scope,
              kind: 'except',
              sets: [body.except.as],
            },
          ];
    default:
      return [];
  }
}

function inLoop({ scope, value, index }: Loop, kind: 'for' | 'branch'): Inner {
  return { steps: scope.steps, scope, kind, sets: index === undefined ? [value] : [value, index] };
}

function inBranch({ scope }: Branch): Inner {
  return { steps: scope.steps, scope, kind: 'branch', sets: [] };
}

/** The values that a step itself evaluates, before or after what stands in it. */
export function templatesOf({ body }: Step): Template[] {
  switch (body.kind) {
    case 'assign':
      return body.assignments.flatMap(({ target, value }) => [...target.path, value]);
    case 'call':
      return body.args.kind === 'named' ? body.args.entries.map(({ value }) => value) : [...body.args.items];
    case 'switch':
      return body.conditions.map(({ condition }) => condition);
    case 'for':
      return [body.loop.items];
    case 'parallel':
      return [
        ...(body.concurrencyLimit === undefined ? [] : [body.concurrencyLimit]),
        ...(body.loop === undefined ? [] : [body.loop.items]),
      ];
    case 'try':
      return body.retry === undefined ? [] : [body.retry.policy];
    case 'raise':
    case 'return':
      return [body.value];
    default:
      return [];
  }
}
