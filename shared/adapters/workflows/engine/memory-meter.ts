import { resourceLimitError } from '../errors.ts';
import { isMap, type Value } from '../values.ts';
import type { Frame } from './frame.ts';
import { RUN_LIMITS } from './run-limits.ts';

/** Holds an execution to what its variables may take. */
export interface MemoryMeter {
  open(frame: Frame): void;
  close(frame: Frame): void;
  /**
   * Counts a value that was stored.
   * @throws ResourceLimitError
   */
  wrote(value: Value): void;
}

/** Adds up what is stored, and measures all variables only when the sum reaches the limit: they may have replaced each other. */
export function createMemoryMeter(): MemoryMeter {
  const frames = new Set<Frame>();
  let estimate = 0;

  function measure(): number {
    let bytes = 0;
    for (const { variables } of frames) {
      for (const [name, value] of variables) bytes += name.length + sizeOf(value);
    }
    return bytes;
  }

  return {
    open: (frame) => void frames.add(frame),
    close: (frame) => void frames.delete(frame),
    wrote(value) {
      estimate += sizeOf(value);
      if (estimate <= RUN_LIMITS.memoryBytes) return;
      estimate = measure();
      if (estimate > RUN_LIMITS.memoryBytes)
        throw resourceLimitError(`the variables take more than ${RUN_LIMITS.memoryBytes / 1024} KB`);
    },
  };
}

const WORD = 8;

function sizeOf(value: Value): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.byteLength;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sizeOf(item), WORD);
  if (!isMap(value)) return WORD;
  let sum = WORD;
  for (const [key, item] of value) sum += key.length + sizeOf(item);
  return sum;
}
