import { PenstockError, type ErrorCode } from '../../ports/penstock-error.ts';

export interface GoogleCall {
  /** What is done, to which id: begins the error message. */
  what: string;
  /** The role that lets a service account do it. */
  role: string;
  timeoutMs: number;
}

interface Translation {
  code: ErrorCode;
  retry: 'never' | 'later';
  /** What to do next. */
  next: string;
}

/** By gRPC status code. */
const TRANSLATIONS: Record<number, Translation> = {
  1: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  2: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  3: { code: 'invalid', retry: 'never', next: 'the request has to change' },
  4: { code: 'timeout', retry: 'later', next: 'it is tried again' },
  5: { code: 'config', retry: 'never', next: 'apply the Terraform configuration, or name the right project' },
  6: { code: 'conflict', retry: 'never', next: 'read it again' },
  8: { code: 'rate_limited', retry: 'later', next: 'it is tried again' },
  9: { code: 'config', retry: 'never', next: 'if an index is missing, add it to terraform/firestore.tf' },
  10: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  13: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  14: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  16: { code: 'unauthenticated', retry: 'never', next: 'run "gcloud auth application-default login"' },
};

const PERMISSION_DENIED = 7;

/** Runs one call to Google with a deadline, and turns what goes wrong into a PenstockError with the vendor's error as its cause. */
export async function callGoogle<T>(call: GoogleCall, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut(call)), call.timeoutMs);
  });
  try {
    return await Promise.race([work(), deadline]);
  } catch (error) {
    throw translateGoogleError(call, error);
  } finally {
    clearTimeout(timer);
  }
}

export function translateGoogleError(call: GoogleCall, error: unknown): PenstockError {
  if (error instanceof PenstockError) return error;
  const code = grpcCode(error);
  const said = messageOf(error);
  if (code === PERMISSION_DENIED) {
    const next = `grant ${call.role} to the service account it runs as`;
    return new PenstockError('forbidden', `${call.what}: ${said}; ${next}`, { cause: error });
  }
  const known = code === undefined ? undefined : TRANSLATIONS[code];
  if (known === undefined) {
    return new PenstockError('internal', `${call.what}: ${said}; look at its cause`, { cause: error });
  }
  return new PenstockError(known.code, `${call.what}: ${said}; ${known.next}`, {
    retry: known.retry,
    cause: error,
  });
}

export function grpcCode(error: unknown): number | undefined {
  const isCoded =
    typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
  return isCoded ? (error.code as number) : undefined;
}

/** By shape, not by class: under a test runner an error may be of another realm. */
function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return hasMessage ? String(error.message) : String(error);
}

function timedOut({ what, timeoutMs }: GoogleCall): PenstockError {
  return new PenstockError('timeout', `${what}: no answer in ${timeoutMs} ms; it is tried again`, {
    retry: 'later',
  });
}
