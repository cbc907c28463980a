import { PenstockError } from '../../ports/penstock-error.ts';
import { readGoogleError } from './google-error-text.ts';
import {
  httpStatus,
  httpTranslation,
  isHttpForbidden,
  type Translation,
  UNAUTHENTICATED,
} from './google-http-error.ts';

export interface GoogleCall {
  /** What is done, to which id: begins the error message. */
  what: string;
  /** The role that lets a service account do it. */
  role: string;
  timeoutMs: number;
  /** What to do when what the call is about is not there: names the variable or the Terraform file. */
  ifMissing?: string;
  /** What to do when no answer comes, where the reader can do anything: names the variable of the emulator. */
  ifUnreachable?: string;
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
  9: {
    code: 'config',
    retry: 'never',
    next: 'if an index is missing, add it to terraform/firestore-indexes.tf',
  },
  10: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  13: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  14: { code: 'unavailable', retry: 'later', next: 'it is tried again' },
  16: UNAUTHENTICATED,
};

const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;

/**
 * Runs one call to Google with a deadline, and turns what goes wrong into a PenstockError with the vendor's error as its
 * cause. The signal lets work that holds a connection stop at the deadline.
 */
export async function callGoogle<T>(call: GoogleCall, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(timedOut(call));
      late.abort();
    }, call.timeoutMs);
  });
  try {
    return await Promise.race([work(late.signal), deadline]);
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
  if (lacksRole(error)) {
    const next = `grant ${call.role} to the service account it runs as`;
    // Not `forbidden`: it is the platform that may not, not who calls it.
    return new PenstockError('config', `${call.what}: ${said}; ${next}`, { cause: error });
  }
  const known = translationOf(error);
  if (known === undefined) {
    return new PenstockError('internal', `${call.what}: ${said}; look at its cause`, { cause: error });
  }
  const isMissing = code === NOT_FOUND || httpStatus(error) === 404;
  const isUnreachable = known.code === 'unavailable' || known.code === 'timeout';
  const next = (isMissing && call.ifMissing) || (isUnreachable && call.ifUnreachable) || known.next;
  return new PenstockError(known.code, `${call.what}: ${said}; ${next}`, {
    retry: known.retry,
    cause: error,
  });
}

/** What Google found lacking in us, where that is why a call failed: it says nothing of what the call is about. */
export function refusalOf(error: unknown): 'role' | 'credential' | undefined {
  if (!(error instanceof PenstockError) || error.code !== 'config') return undefined;
  if (lacksRole(error.cause)) return 'role';
  return translationOf(error.cause) === UNAUTHENTICATED ? 'credential' : undefined;
}

function lacksRole(error: unknown): boolean {
  return grpcCode(error) === PERMISSION_DENIED || isHttpForbidden(error);
}

function translationOf(error: unknown): Translation | undefined {
  const code = grpcCode(error);
  return (code === undefined ? undefined : TRANSLATIONS[code]) ?? httpTranslation(error);
}

export function grpcCode(error: unknown): number | undefined {
  const isCoded =
    typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
  return isCoded ? (error.code as number) : undefined;
}

/** By shape, not by class: under a test runner an error may be of another realm. Some clients give the answer's JSON as the message. */
function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  const text = hasMessage ? String(error.message) : String(error);
  // It goes on after it.
  return (readGoogleError(text).message ?? text).replace(/\.$/, '');
}

function timedOut({ what, timeoutMs, ifUnreachable = 'it is tried again' }: GoogleCall): PenstockError {
  return new PenstockError('timeout', `${what}: no answer in ${timeoutMs} ms; ${ifUnreachable}`, {
    retry: 'later',
  });
}
