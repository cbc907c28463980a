import { notifyRun } from '../../shared/core/notification/notify-run.ts';
import type { MessageFunction } from '../../shared/runtime/functions.ts';

export const notification: MessageFunction<'notification-requested'> = {
  name: 'notification',
  topic: 'notification-requested',
  handle: (ports, { tenant, run }) => notifyRun(ports, tenant, run),
};
