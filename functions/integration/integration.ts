import { integrateRun } from '../../shared/core/integration/integrate-run.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';

export const integration: MessageFunction<'run-finished'> = {
  name: 'integration',
  topic: 'run-finished',
  handle: (ports, { tenant, run }) => integrateRun(ports, tenant, run),
};
