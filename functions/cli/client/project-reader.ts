import { refusalOf } from '../../../shared/adapters/google/google-call.ts';
import { createGoogleCredentials } from '../../../shared/adapters/google/google-credentials.ts';
import { createGoogleRest } from '../../../shared/adapters/google/google-rest.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { APPLY } from './project-finding.ts';

/** What is asked of one of Google's APIs. */
export interface Question {
  /** Such as `pubsub`, of pubsub.googleapis.com. */
  api: string;
  /** As in "read of topics". */
  what: string;
  /** The least that lets somebody ask. */
  role: string;
  path: string;
  query?: Record<string, string>;
  /** Some of Google's questions are posts; they change nothing either. @default GET */
  method?: 'GET' | 'POST';
}

/** Why there is no answer. `missing`: what was asked for is not there, or the API is not enabled. */
export interface NoAnswer {
  state: 'missing' | 'forbidden' | 'unknown';
  /** What to do about it. */
  detail: string;
}
export type Answer<T> = { state: 'ok'; value: T } | NoAnswer;

export interface ProjectReader {
  project: string;
  /** One thing. @throws PenstockError `config` where nobody is signed in. */
  get<T extends object>(question: Question): Promise<Answer<T>>;
  /** All of a list; `items` is its name in the answer. */
  list<T extends object>(question: Question, items: string): Promise<Answer<T[]>>;
}

export interface ProjectReaderConfig {
  project: string;
  /** In place of every API of Google's. */
  baseUrl?: string | undefined;
  /** Of one call. @default 10000 */
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_PAGES = 10;
/** Google's words for an API that is off, which it says with the status of a missing role. */
const DISABLED = /SERVICE_DISABLED|has not been used in project|it is disabled/;

/** Reads a Google Cloud project as whoever is signed in; each call has a deadline, and none changes anything. */
export function createProjectReader(config: ProjectReaderConfig): ProjectReader {
  const { project, baseUrl, timeoutMs = TIMEOUT_MS } = config;
  const auth = createGoogleCredentials(baseUrl ?? 'https:');

  async function ask<T extends object>({ api, what, role, ...request }: Question): Promise<T> {
    const rest = createGoogleRest({ baseUrl: baseUrl ?? `https://${api}.googleapis.com`, auth });
    const sent = request.method === 'POST' ? { body: {} } : {};
    return rest<T>({ what: `read of ${what}`, role, timeoutMs }, { method: 'GET', ...request, ...sent });
  }

  async function askAll<T extends object>(question: Question, items: string): Promise<T[]> {
    const all: T[] = [];
    let pageToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const query = { ...question.query, ...(pageToken === undefined ? {} : { pageToken }) };
      const answer = await ask<Record<string, unknown>>({ ...question, query });
      all.push(...((answer[items] as T[] | undefined) ?? []));
      pageToken = answer['nextPageToken'] as string | undefined;
      if (pageToken === undefined || pageToken === '') return all;
    }
    return all;
  }

  const answerOf = <T>(question: Question, asked: Promise<T>): Promise<Answer<T>> =>
    asked.then(
      (value) => ({ state: 'ok' as const, value }),
      (error: unknown) => noAnswer(project, question, error),
    );

  return {
    project,
    get: (question) => answerOf(question, ask(question)),
    list: (question, items) => answerOf(question, askAll(question, items)),
  };
}

function noAnswer(project: string, { api, role }: Question, error: unknown): NoAnswer {
  const refusal = refusalOf(error);
  if (!(error instanceof PenstockError) || refusal === 'credential') throw error;
  if (error.code !== 'config') return { state: 'unknown', detail: error.message };
  if (refusal === undefined) return { state: 'missing', detail: APPLY };
  if (DISABLED.test(error.message))
    return { state: 'missing', detail: enableCommand(project, `${api}.googleapis.com`) };
  const detail = `gcloud projects add-iam-policy-binding ${project} --member=user:YOU --role=${role}`;
  return { state: 'forbidden', detail };
}

export function enableCommand(project: string, service: string): string {
  return `gcloud services enable ${service} --project ${project}`;
}
