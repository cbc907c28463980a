import { z } from 'zod';

const usd = z.number().nonnegative().max(1_000_000);
const pool = z
  .strictObject({
    /** Admission that the other pools may not take while a quota is tight; never an always-on instance. */
    min: z.int().min(0).max(10_000).default(0),
    /** Attempts that may run at the same time. */
    max: z.int().min(1).max(10_000),
  })
  .refine(({ min, max }) => min <= max, { path: ['min'], error: 'is larger than max' });

const decisionPolicy = z.enum(['auto', 'ask']);

export const steeringPolicies = ['enqueue', 'interrupt', 'reject'] as const;

/** What a tenant's administrators may change while the platform runs (002-16): `tenants/{tenant}/config/runtime`. What is absent is the platform's own. */
export const tenantSettings = z.strictObject({
  pools: z
    .strictObject({ core: pool.optional(), specialist: pool.optional(), assessment: pool.optional() })
    .default({}),
  /** Attempts of the tenant that may run at the same time, over all pools. */
  maxRunningTasks: z.int().min(1).optional(),
  /** Runs of the tenant that may be live at the same time; more are refused at submission. */
  maxLiveRuns: z.int().min(1).optional(),
  /** Spend and live reservations of one calendar month (UTC), over all runs of the tenant. */
  monthlyBudgetUsd: usd.optional(),
  /** The same by the `project` of a run. */
  projectBudgetsUsd: z.record(z.string().max(100), usd).default({}),
  /** Of a run that names no budget. */
  defaultBudgetUsd: usd.optional(),
  maxAttempts: z.int().min(1).max(10).optional(),
  autoApproveUsd: usd.optional(),
  autoApproveTasks: z.int().min(0).optional(),
  /** A task that used up its allotment: a person is asked for more, or it fails. */
  onBudget: z.enum(['ask', 'fail']).default('ask'),
  /**
   * By kind. `ask`: a person is asked every time. `auto`: what the platform may decide by itself it does: it executes a plan within
   * the limits above, and refuses a change of protected files.
   */
  decisions: z
    .strictObject({
      approve_plan: decisionPolicy.default('auto'),
      risky_change: decisionPolicy.default('auto'),
    })
    .prefault({}),
  /** Hours after which an unanswered decision is brought to mind again, after which others are told, and after which its safe option is taken. */
  decisionReminderHours: z.number().positive().max(8_760).default(24),
  decisionEscalationHours: z.number().positive().max(8_760).default(48),
  /** Whom an escalation calls, by their login on the code host; without any it names the tenant's team admins. */
  escalateTo: z
    .array(z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9/-]{0,80}[A-Za-z0-9])?$/, 'a login, or org/team'))
    .max(10)
    .default([]),
  decisionDeadlineHours: z.number().positive().max(8_760).default(72),
  /** What becomes of words to a run whose agents are at work. */
  steering: z.enum(steeringPolicies).default('enqueue'),
  /** A circuit opens after so many failures in a row … */
  circuitFailures: z.int().min(1).max(1_000).default(5),
  /** … and lets one probe through after so long. */
  circuitResetSeconds: z.number().positive().max(86_400).default(60),
});
export type TenantSettings = z.infer<typeof tenantSettings>;
export type TenantSettingsInput = z.input<typeof tenantSettings>;
