import type { Scope } from '../expressions/expression.ts';
import type { Value } from '../values.ts';
import type { Fiber } from './fiber.ts';

/** Variables of a routine, loop, branch or `except`, within those around it. */
export class Frame implements Scope {
  readonly fiber: Fiber;
  readonly outer: Frame | undefined;
  readonly variables: Map<string, Value>;

  /** Every variable is there from the start: one that was never assigned is null. */
  constructor(fiber: Fiber, { outer, locals }: { outer?: Frame; locals: readonly string[] }) {
    this.fiber = fiber;
    this.outer = outer;
    this.variables = new Map(locals.map((name) => [name, null]));
    fiber.execution.memory.open(this);
  }

  get(name: string): Value | undefined {
    const found = this.#ownerOf(name)?.variables.get(name);
    if (found !== undefined) return found;
    const routine = this.fiber.execution.workflow.routines.get(name);
    return routine === undefined ? undefined : { kind: 'function', name, parameters: routine.parameters };
  }

  /** Writes where the variable stands, which the loader has made sure of. */
  set(name: string, value: Value): void {
    (this.#ownerOf(name) ?? this).variables.set(name, value);
    this.fiber.execution.memory.wrote(value);
    this.fiber.changed?.set(name, value);
  }

  env(name: string): string | undefined {
    return this.fiber.execution.env(name);
  }

  call(name: string, args: Value[]): Promise<Value> {
    return this.fiber.execution.interpreter.call(name, { kind: 'positional', values: args }, this.fiber);
  }

  close(): void {
    this.fiber.execution.memory.close(this);
  }

  #ownerOf(name: string): Frame | undefined {
    // oxlint-disable-next-line typescript/no-this-alias -- a walk along a chain that begins here
    let at: Frame | undefined = this;
    while (at !== undefined && !at.variables.has(name)) at = at.outer;
    return at;
  }
}
