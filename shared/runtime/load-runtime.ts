import type { Runtime } from './functions.ts';
import { createGoogleRuntime } from './google.ts';
import { readGoogleConfig } from './google-config.ts';
import { loadOnce } from './load-once.ts';

/** The runtime of a function as it is deployed, composed once per process: in the cloud, or on what stands in for it. */
export const loadRuntime: () => Promise<Runtime> = loadOnce(() => createGoogleRuntime(readGoogleConfig()));
