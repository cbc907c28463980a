import type { Position } from './ast.ts';

/** Something in a source. An `error` keeps it from running; `unverified` runs, but nobody has seen the service do it. */
export interface Problem extends Position {
  readonly message: string;
  readonly severity: 'error' | 'unverified';
}

/** Takes what is found, up to a bound that no reader gets through. */
export interface Problems {
  error(at: Position, message: string): void;
  unverified(at: Position, message: string): void;
  /** In the order of the source. */
  all(): Problem[];
}

const MAX_PROBLEMS = 200;

export function collectProblems(): Problems {
  const found: Problem[] = [];
  const add = ({ line, column }: Position, message: string, severity: Problem['severity']): void => {
    const isKnown = found.some(
      (one) => one.line === line && one.column === column && one.message === message,
    );
    if (found.length < MAX_PROBLEMS && !isKnown) found.push({ line, column, message, severity });
  };
  return {
    error: (at, message) => add(at, message, 'error'),
    unverified: (at, message) => add(at, message, 'unverified'),
    all: () => found.toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
}
