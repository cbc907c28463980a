/** Every stage of a run, in the order of its life. */
export const stages = [
  'accepted',
  'planning',
  'awaiting_approval',
  'executing',
  'integrating',
  'awaiting_review',
  'succeeded',
  'failed',
  'cancelling',
  'cancelled',
] as const;

/** What a driver asks for, in this order; who asks for one asks for those before it too. */
export const askedStages = ['plan', 'approve', 'execute', 'integrate', 'review', 'close'] as const;
export type AskedStage = (typeof askedStages)[number];
