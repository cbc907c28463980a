import { once } from 'node:events';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import { createPaint, type Paint } from './render/paint.ts';
import { safeText } from './render/wording.ts';

/** Where a command's words go: results to stdout, errors and asides to stderr. */
export interface Screen {
  paint: Paint;
  /** Somebody sits at both ends: only then a browser may be opened. */
  isInteractive: boolean;
  out(line?: string): void;
  aside(line: string): void;
  json(value: unknown): void;
  /** One line, and the reasons below it. */
  error(error: unknown): void;
  /** Resolves when everything is written. */
  drain(): Promise<void>;
}

const MAX_REASONS = 50;

export function createScreen({ noColour }: { noColour: boolean }): Screen {
  const { stdout, stderr, stdin } = process;
  // Whoever reads may stop reading, such as `head`: that is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  const write = (stream: NodeJS.WriteStream, line: string): void => {
    stream.write(`${line}\n`);
  };
  return {
    paint: createPaint(stdout.isTTY && !noColour),
    isInteractive: stdout.isTTY && stdin.isTTY,
    out: (line = '') => write(stdout, line),
    aside: (line) => write(stderr, line),
    json: (value) => write(stdout, JSON.stringify(value)),
    error(error) {
      write(stderr, `penstock: ${messageOf(error)}`);
      const reasons = error instanceof PenstockError ? error.reasons : [];
      for (const reason of reasons.slice(0, MAX_REASONS))
        write(stderr, `  - ${safeText(reason).replaceAll('\n', ' ')}`);
      if (reasons.length > MAX_REASONS) write(stderr, `  - and ${reasons.length - MAX_REASONS} more`);
    },
    async drain() {
      for (const stream of [stdout, stderr]) if (stream.writableNeedDrain) await once(stream, 'drain');
    },
  };
}

function messageOf(error: unknown): string {
  return safeText(error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}
