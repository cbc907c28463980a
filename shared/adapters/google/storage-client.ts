import { Storage, type StorageOptions } from '@google-cloud/storage';

/**
 * The library's client without its own retries: it keeps one switch for all calls in flight, and repeats what may already
 * have been applied without looking. The adapter repeats by itself. `STORAGE_EMULATOR_HOST` is read by the library.
 */
export function createStorageClient(options: StorageOptions): Storage {
  return new Storage({ ...options, retryOptions: { autoRetry: false, retryableErrorFn: () => false } });
}
