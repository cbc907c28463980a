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
