import type { CostView, RunView, TaskView } from '../../../shared/messages/run-view.ts';
import { costText } from './run-text.ts';

/** What a reader of the timeline wants next: what it cost, and the commands that show more. */
export function closingText(run: RunView, tasks: readonly TaskView[], cost: CostView): string[] {
  const commands = [...checkoutCommands(run), `npx penstock show ${run.id}`, ...logCommands(run, tasks)];
  return [
    costText(cost),
    ...(run.pullRequest === undefined ? [] : [`pull request ${run.pullRequest.url}`]),
    '',
    'See for yourself:',
    ...commands.map((command) => `  ${command}`),
  ];
}

/** Only a checkout on this machine can be looked at with git. */
function checkoutCommands(run: RunView): string[] {
  const { repository, headBranch, headSha, baseRef, baseSha } = run;
  if (repository?.startsWith('/') !== true || headSha === undefined || headBranch === undefined) return [];
  return [`git -C ${quoted(repository)} diff ${baseRef ?? baseSha ?? 'HEAD'}...${headBranch}`];
}

/** The task that says most: the one that failed, otherwise the last that changed files. */
function logCommands(run: RunView, tasks: readonly TaskView[]): string[] {
  const tried = tasks.filter(({ attempts }) => attempts.length > 0);
  const telling =
    tried.find(({ state }) => state === 'failed') ??
    tried.findLast(({ kind, changeSet }) => kind === 'work' && changeSet !== undefined) ??
    tried[0];
  return telling === undefined ? [] : [`npx penstock logs ${run.id} ${telling.id}`];
}

function quoted(path: string): string {
  return /^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
