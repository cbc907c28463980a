import { z } from 'zod';
import { MAX_COMMENT_CHARS } from '../../messages/decision.ts';
import { MAX_REQUIREMENT_CHARS } from '../../messages/requirement-body.ts';
import type { CommentAnswer } from '../decisions/offer-answer.ts';
import { cutText, MAX_STORED_TEXT_BYTES, sanitiseText } from './sanitise-text.ts';

/** The label that starts a run, and the one command prefix. */
export const TRIGGER_LABEL = 'penstock';
const MAX_TITLE_CHARS = 200;
const COMMAND = /^\/penstock\s+(run|plan)\b([\s\S]*)$/;
/** The rest of the first line may name a decision; what follows it is kept with the answer. */
const ANSWER =
  /^\/penstock[ \t]+(?:(approve|reject)|option[ \t]+(\d{1,2}))\b(?:[ \t]+([a-z0-9]{10})\b)?[ \t]*([\s\S]*)$/;

const account = z.object({ login: z.string(), type: z.string().optional() });
const issue = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  html_url: z.string(),
  labels: z.array(z.object({ name: z.string() })).optional(),
  pull_request: z.unknown().optional(),
});

const namedRepository = z.object({ full_name: z.string() });

const checked = z.object({ head_sha: z.string(), head_branch: z.string().nullish() });

/** A field of another shape than ours counts as absent: the delivery is recorded all the same. */
function readable<T extends z.ZodType>(field: T) {
  return field.optional().catch(undefined);
}

/** The few fields of GitHub's payloads that decide anything; all others are ignored. */
const payloadShape = z.object({
  action: readable(z.string()),
  sender: readable(account),
  installation: readable(z.object({ id: z.int(), account: readable(account) })),
  repository: readable(namedRepository),
  repositories: readable(z.array(namedRepository)),
  repositories_added: readable(z.array(namedRepository)),
  repositories_removed: readable(z.array(namedRepository)),
  issue: readable(issue),
  label: readable(z.object({ name: z.string() })),
  check_run: readable(z.object({ check_suite: checked })),
  check_suite: readable(checked),
  workflow_run: readable(checked),
  sha: readable(z.string()),
  state: readable(z.string()),
  branches: readable(z.array(z.object({ name: z.string() }))),
  comment: readable(
    z.object({
      body: z.string(),
      created_at: readable(z.string()),
      performed_via_github_app: z.unknown().optional(),
    }),
  ),
});
export type WebhookPayload = z.infer<typeof payloadShape>;

/** A commit that somebody has said something final about, and the branches that it is the head of. */
export interface JudgedCommit {
  repository: string;
  sha: string;
  branches: string[];
}

export type WebhookDecision =
  | {
      outcome: 'run';
      /** A label is told twice of an issue that is opened with it; a command once. */
      by: 'label' | 'command';
      dryRun: boolean;
      title: string;
      requirement: string;
      login: string;
      issue: { number: number; url: string };
    }
  | { outcome: 'answer'; answer: CommentAnswer }
  | { outcome: 'installation'; suspended: boolean }
  | { outcome: 'recorded'; reason: string; judged?: JudgedCommit }
  | { outcome: 'ignored'; reason: string };

/** Reads what is needed of a payload. `undefined`: not a payload of GitHub's at all. */
export function readPayload(value: unknown): WebhookPayload | undefined {
  const parsed = payloadShape.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** Pure: what a webhook means. Only a label set, an issue opened with it, and a new comment with a command start anything; never an edit, never a bot. */
export function decideWebhook(event: string, payload: WebhookPayload): WebhookDecision {
  switch (event) {
    case 'ping':
      return { outcome: 'recorded', reason: 'ping' };
    case 'installation':
      return installationDecision(payload);
    case 'installation_repositories':
      return { outcome: 'installation', suspended: false };
    case 'issues':
      return issueDecision(payload);
    case 'issue_comment':
      return commentDecision(payload);
    case 'check_run':
    case 'check_suite':
    case 'workflow_run':
    case 'workflow_job':
    case 'status':
      return observation(event, payload);
    default:
      return { outcome: 'ignored', reason: `event ${event} starts nothing` };
  }
}

function observation(event: string, payload: WebhookPayload): WebhookDecision {
  const reason = `${event} observed`;
  const judged = judgedCommit(event, payload);
  return judged === undefined ? { outcome: 'recorded', reason } : { outcome: 'recorded', reason, judged };
}

/** What is not over yet tells nothing that a run could go on with. */
function judgedCommit(event: string, payload: WebhookPayload): JudgedCommit | undefined {
  const repository = payload.repository?.full_name;
  const isOver = event === 'status' ? payload.state !== 'pending' : payload.action === 'completed';
  const commit = commitOf(event, payload);
  return repository === undefined || !isOver || commit === undefined ? undefined : { repository, ...commit };
}

function commitOf(event: string, payload: WebhookPayload): Omit<JudgedCommit, 'repository'> | undefined {
  switch (event) {
    case 'check_run':
      return payload.check_run && headOf(payload.check_run.check_suite);
    case 'check_suite':
      return payload.check_suite && headOf(payload.check_suite);
    case 'workflow_run':
      return payload.workflow_run && headOf(payload.workflow_run);
    case 'status': {
      const { sha, branches = [] } = payload;
      return sha === undefined ? undefined : { sha, branches: branches.map(({ name }) => name) };
    }
    default:
      return undefined;
  }
}

function headOf({ head_sha: sha, head_branch: branch }: z.infer<typeof checked>) {
  return { sha, branches: [branch ?? []].flat() };
}

function installationDecision({ action }: WebhookPayload): WebhookDecision {
  const gone = action === 'deleted' || action === 'suspend';
  const here = action === 'created' || action === 'unsuspend';
  if (gone || here) return { outcome: 'installation', suspended: gone };
  return { outcome: 'recorded', reason: `installation ${action ?? ''}` };
}

function issueDecision(payload: WebhookPayload): WebhookDecision {
  const { action, issue: subject, label, sender } = payload;
  const labels = subject?.labels?.map(({ name }) => name) ?? [];
  const triggered =
    (action === 'labeled' && label?.name === TRIGGER_LABEL) ||
    (action === 'opened' && labels.includes(TRIGGER_LABEL));
  if (!triggered || subject === undefined)
    return { outcome: 'ignored', reason: `issues.${action ?? ''} without the label ${TRIGGER_LABEL}` };
  return start(payload, sender, { by: 'label', dryRun: false, extra: '' });
}

function commentDecision(payload: WebhookPayload): WebhookDecision {
  const { action, comment, issue: subject, sender } = payload;
  if (action !== 'created')
    return { outcome: 'ignored', reason: `issue_comment.${action ?? ''} never starts anything` };
  const text = sanitiseText(comment?.body ?? '');
  const given = ANSWER.exec(text);
  if (given !== null) return answerDecision(payload, given);
  if (subject?.pull_request !== undefined && subject.pull_request !== null) {
    return { outcome: 'ignored', reason: 'a comment on a pull request starts no run' };
  }
  const command = COMMAND.exec(text);
  if (command === null) return { outcome: 'ignored', reason: 'the comment has no command for us' };
  if (comment?.performed_via_github_app !== undefined && comment.performed_via_github_app !== null) {
    return { outcome: 'ignored', reason: 'comments of apps start no run' };
  }
  const dryRun = command[1] === 'plan';
  return start(payload, sender, { by: 'command', dryRun, extra: (command[2] ?? '').trim() });
}

function answerDecision(
  { comment, issue: subject, installation, repository, sender }: WebhookPayload,
  [, verb, number, id, words = '']: RegExpExecArray,
): WebhookDecision {
  if (subject === undefined || repository === undefined || sender === undefined)
    return { outcome: 'ignored', reason: 'the payload names no issue' };
  const isApp = comment?.performed_via_github_app !== undefined && comment.performed_via_github_app !== null;
  if (isApp || isBot(sender)) return { outcome: 'ignored', reason: 'only people answer decisions' };
  if (installation === undefined)
    return { outcome: 'ignored', reason: 'the event did not come through an installation of the App' };
  const at = Date.parse(comment?.created_at ?? '');
  const text = cutText(words.trim(), MAX_COMMENT_CHARS);
  const answer: CommentAnswer = {
    verb: verb === 'approve' || verb === 'reject' ? verb : 'option',
    ...(number === undefined ? {} : { number: Number(number) }),
    ...(id === undefined ? {} : { id }),
    ...(text === '' ? {} : { comment: text }),
    login: sender.login,
    issue: subject.number,
    repository: repository.full_name,
    at: Number.isNaN(at) ? 0 : at,
  };
  return { outcome: 'answer', answer };
}

function isBot({ type, login }: NonNullable<WebhookPayload['sender']>): boolean {
  return type === 'Bot' || login.endsWith('[bot]');
}

function start(
  { issue: subject, installation, repository }: WebhookPayload,
  sender: WebhookPayload['sender'],
  { by, dryRun, extra }: { by: 'label' | 'command'; dryRun: boolean; extra: string },
): WebhookDecision {
  if (subject === undefined || repository === undefined || sender === undefined)
    return { outcome: 'ignored', reason: 'the payload names no issue' };
  if (isBot(sender)) return { outcome: 'ignored', reason: 'bots start no run' };
  if (installation === undefined)
    return { outcome: 'ignored', reason: 'the event did not come through an installation of the App' };
  const title = cutText(sanitiseText(subject.title), MAX_TITLE_CHARS) || `Issue #${subject.number}`;
  const requirement = [title, sanitiseText(subject.body ?? ''), extra]
    .filter((part) => part !== '')
    .join('\n\n');
  return {
    outcome: 'run',
    by,
    dryRun,
    title,
    requirement: cutText(requirement, MAX_REQUIREMENT_CHARS, MAX_STORED_TEXT_BYTES),
    login: sender.login,
    issue: { number: subject.number, url: subject.html_url },
  };
}
