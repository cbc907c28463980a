import { relative } from 'node:path';
import type { RunView } from '../../shared/messages/run-view.ts';
import { followRun } from './client/follow-run.ts';
import { createHttpClient } from './client/http-client.ts';
import { runAnswers } from './client/run-answers.ts';
import { checksByHand, type Demo, startDemo } from './demo.ts';
import { exitCodeOfRun, type ExitCode } from './exit-codes.ts';
import { onInterrupt } from './on-interrupt.ts';
import { renderTimelineLine, type TimelineLine } from './render/timeline-line.ts';
import type { Screen } from './screen.ts';

export interface RunDemoOptions {
  json: boolean;
  data: string;
  env: Record<string, string | undefined>;
}

/** `penstock demo`: everything on the screen is read from the run and from the GitHub stand-in. */
export async function runDemo(screen: Screen, options: RunDemoOptions): Promise<ExitCode> {
  const interrupt = onInterrupt();
  const demo = await startDemo(options);
  const say = (line = '') => options.json || screen.out(line);
  try {
    for (const line of headline(demo)) say(line);
    const client = createHttpClient({ url: demo.up.url, token: demo.up.token });
    const tell = (line: TimelineLine) => say(renderTimelineLine(withWitness(line, demo), screen.paint));
    const late: TimelineLine[] = [];
    const run = await followRun(
      client,
      demo.runId,
      (line) => (isEnd(line) ? late.push(line) : tell(line)),
      interrupt,
    );
    await demo.up.settled();
    for (const line of late) tell(await withOutcome(line, demo, run));
    if (options.json) screen.json((await runAnswers.run(client, demo.runId)).raw);
    for (const line of closing(demo)) say(line);
    if (screen.isInteractive && !options.json) await leaveUp(demo, interrupt.signal, say);
    return exitCodeOfRun(run);
  } finally {
    interrupt.dispose();
    await demo.stop();
  }
}

function headline({ live, github, folder, up, repository, issue }: Demo): string[] {
  const model = live
    ? 'live Claude: tokens and cost are real'
    : 'scripted model: no AI is called, tokens and cost are simulated';
  const sandbox = up.sandbox.split(':')[0]?.split(',')[0] ?? '';
  return [
    `Penstock demo · local mode · ${model}`,
    `GitHub stand-in ${github.url} · data ${relative(process.cwd(), folder)} · sandbox ${sandbox}`,
    '',
    `${`Issue #${issue.number} on ${repository}: "${issue.title}"`.padEnd(68)} labelled penstock`,
  ];
}

/** How the run began is told by GitHub's side: which webhook it sent, and what it was answered. */
function withWitness(line: TimelineLine, { github }: Demo): TimelineLine {
  if (line.kind !== 'accepted') return line;
  const sent = github.deliveries().find(({ event, action }) => event === 'issues' && action === 'labeled');
  if (sent === undefined) return line;
  const verdict = sent.status_code === 202 ? 'signature ok' : `answered ${sent.status_code}`;
  return {
    ...line,
    subject: 'webhook',
    text: `${sent.event}.${sent.action ?? ''}, ${verdict}`,
    outcome: `${line.outcome ?? ''} accepted`,
  };
}

function isEnd({ kind }: TimelineLine): boolean {
  return kind === 'pull-request' || kind === 'end';
}

/** What stands on GitHub's side in the end. */
async function withOutcome(
  line: TimelineLine,
  { github, repository, issue }: Demo,
  run: RunView,
): Promise<TimelineLine> {
  if (line.kind !== 'pull-request') return line;
  const checks = (await github.checkRuns(repository)).filter(({ head_sha: sha }) => sha === run.headSha);
  const comments = (await github.comments(repository, issue.number)).length;
  const settled = checks.map(({ conclusion, status }) => conclusion ?? status).join(', ') || 'none';
  const wasDraft = github
    .calls()
    .some(({ method, path, body }) => method === 'POST' && path.endsWith('/pulls') && isDraft(body));
  const text = line.text.replace(/^ready {8}/, wasDraft ? 'draft → ready' : '$&');
  return {
    ...line,
    text: `${text} · check run ${settled} · ${comments} ${comments === 1 ? 'comment' : 'comments'}`,
  };
}

function isDraft(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'draft' in body && body.draft === true;
}

function closing(demo: Demo): string[] {
  const next = 'Yours next:  ANTHROPIC_API_KEY=… npx penstock submit --repo ~/code/app "what you want"';
  return ['', 'See for yourself:', ...checksByHand(demo), next];
}

async function leaveUp({ up, runId }: Demo, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  say(`The page is up: ${up.url}/runs/${runId}   (Ctrl-C ends it)`);
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
