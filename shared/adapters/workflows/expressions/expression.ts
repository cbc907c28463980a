import type { Value } from '../values.ts';

/** What an expression reads and calls while it is evaluated. */
export interface Scope {
  /** A variable, or a subworkflow as a value; undefined: there is none of that name. */
  get(name: string): Value | undefined;
  /** A variable of the execution's environment. */
  env(name: string): string | undefined;
  /** Carries out a call that may suspend: of a subworkflow, a connector, or a function such as `sys.now`. */
  call(name: string, args: Value[]): Promise<Value>;
}

/** A variable or subworkflow named in an expression. Offsets count UTF-16 units of the compiled source from 0. */
export interface NameUse {
  readonly name: string;
  readonly offset: number;
}

/** A call in an expression; arguments go by place. */
export interface CallUse {
  readonly name: string;
  readonly offset: number;
  readonly argCount: number;
}

/** Something the expression relies on that no documentation or sample of Google's shows. */
export interface Unverified {
  readonly message: string;
  readonly offset: number;
}

/** A compiled expression: what stands between `${` and `}`. It holds no state and serves every execution at once. */
export interface Expression {
  readonly names: readonly NameUse[];
  /** Every call, of library functions too. */
  readonly calls: readonly CallUse[];
  readonly unverified: readonly Unverified[];
  /** Whether it has no call that may suspend, so that `evaluate` works. */
  readonly isPure: boolean;
  /**
   * The value, of a pure expression only.
   *
   * @throws Raised what the expression raises
   */
  evaluate(scope: Scope): Value;
  /** The value of any expression; calls run one after another, from left to right. */
  evaluateAsync(scope: Scope): Promise<Value>;
}

export interface CompileError {
  readonly ok: false;
  /** What is wrong, for the one who wrote it. */
  readonly message: string;
  readonly offset: number;
}

export type CompileResult = { readonly ok: true; readonly expression: Expression } | CompileError;
