import type { Ports } from '../ports.ts';

/** What bringing change sets to a pull request touches. */
export type IntegrationPorts = Pick<
  Ports,
  | 'store'
  | 'queue'
  | 'trace'
  | 'blobs'
  | 'clock'
  | 'ids'
  | 'log'
  | 'agents'
  | 'policy'
  | 'codeHost'
  | 'memory'
  | 'settings'
  | 'workflows'
>;
