import type { Expression } from '../expressions/expression.ts';
import type { Value } from '../values.ts';

/** Where something stands in the source, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A value as written: with expressions inside, it is made anew each time it is reached. */
export type Template =
  | { readonly kind: 'literal'; readonly value: Value }
  | {
      readonly kind: 'expression';
      readonly expression: Expression;
      readonly place: (offset: number) => Position;
    }
  | { readonly kind: 'list'; readonly items: readonly Template[]; readonly isPure: boolean }
  | { readonly kind: 'map'; readonly entries: readonly TemplateEntry[]; readonly isPure: boolean };

export interface TemplateEntry {
  readonly key: Template;
  readonly value: Template;
}

/** `name`, `name.key`, `name["key"]`, `name[expression]`, chained. */
export interface Target {
  readonly name: string;
  readonly path: readonly Template[];
  readonly position: Position;
}

export interface Assignment {
  readonly target: Target;
  readonly value: Template;
}

/** A name where it stands. */
export interface Named {
  readonly name: string;
  readonly position: Position;
}

/** Arguments by name, by place, or none. */
export type Arguments =
  | { readonly kind: 'named'; readonly entries: readonly NamedArgument[] }
  | { readonly kind: 'positional'; readonly items: readonly Template[] };

export interface NamedArgument {
  readonly name: string;
  readonly value: Template;
  readonly position: Position;
}

export interface Condition {
  readonly condition: Template;
  readonly position: Position;
  /** What is done when it holds; it may be nothing but a jump. */
  readonly step: Step;
}

export interface Retry {
  /** Either a whole policy as a value, such as `http.default_retry`, or its parts. */
  readonly policy: Template;
  readonly position: Position;
}

export interface Except {
  readonly as: string;
  readonly position: Position;
  readonly scope: Scoped;
}

/** Steps with variables of their own. */
export interface Scoped {
  readonly steps: StepList;
  /** Variables first assigned in here: they end with it. */
  locals: readonly string[];
}

export interface Loop {
  readonly value: string;
  readonly index?: string;
  readonly over: 'in' | 'range';
  readonly items: Template;
  readonly scope: Scoped;
  readonly position: Position;
}

export interface Branch {
  readonly name: string;
  readonly scope: Scoped;
  readonly position: Position;
}

export type StepBody =
  | { readonly kind: 'assign'; readonly assignments: readonly Assignment[] }
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly args: Arguments;
      readonly position: Position;
      readonly result?: Named;
    }
  | { readonly kind: 'switch'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'for'; readonly loop: Loop }
  | {
      readonly kind: 'parallel';
      readonly shared: readonly Named[];
      readonly concurrencyLimit?: Template;
      readonly branches?: readonly Branch[];
      readonly loop?: Loop;
    }
  | { readonly kind: 'try'; readonly body: Step; readonly retry?: Retry; readonly except?: Except }
  | { readonly kind: 'raise'; readonly value: Template }
  | { readonly kind: 'return'; readonly value: Template }
  | { readonly kind: 'steps'; readonly steps: StepList }
  | { readonly kind: 'nothing' };

export interface Step {
  /** Of a condition or a `try` without a name of its own: that of the step around it. */
  readonly name: string;
  readonly position: Position;
  readonly body: StepBody;
  /** A step of this list or one around it, or `end`, `break`, `continue`. */
  readonly next?: Named;
}

export interface StepList {
  readonly steps: readonly Step[];
  readonly indexOf: ReadonlyMap<string, number>;
}

/** `main` or a subworkflow. */
export interface Routine {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly default?: Value }[];
  readonly scope: Scoped;
  readonly position: Position;
}

export interface Workflow {
  readonly name: string;
  readonly source: string;
  readonly routines: ReadonlyMap<string, Routine>;
  readonly main: Routine;
}
