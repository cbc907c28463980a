import type { Topic } from '../../../shared/messages/topics.ts';

export interface FunctionGrants {
  /** Topics that it may publish to. */
  publishes: readonly Topic[];
  /** Whether it reads and writes blobs. */
  bucket: boolean;
}

const ALL: readonly Topic[] = [
  'notification-requested',
  'run-accepted',
  'run-finished',
  'task-dispatched',
  'task-finished',
];
const OF_ATTEMPTS: readonly Topic[] = ['run-accepted', 'task-dispatched', 'task-finished'];

/** What each function is granted, as terraform/functions.tf has it. */
export const FUNCTION_GRANTS: Readonly<Record<string, FunctionGrants>> = {
  'agent-execution': { publishes: OF_ATTEMPTS, bucket: true },
  api: { publishes: ALL, bucket: true },
  attempts: { publishes: OF_ATTEMPTS, bucket: true },
  'dead-letters': { publishes: ['notification-requested', 'run-finished'], bucket: true },
  decomposition: { publishes: ALL, bucket: true },
  intake: { publishes: ['run-accepted'], bucket: true },
  integration: { publishes: ALL, bucket: true },
  notification: { publishes: [], bucket: false },
  'result-handling': { publishes: ALL, bucket: true },
  stages: { publishes: ALL, bucket: true },
  sweep: { publishes: ALL, bucket: true },
  webhooks: { publishes: ['run-accepted', 'run-finished'], bucket: true },
};
