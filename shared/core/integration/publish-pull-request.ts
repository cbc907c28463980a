import { performEffect } from '../perform-effect.ts';
import { publicText } from '../public-text.ts';
import type { Run } from '../run.ts';
import type { Task } from '../task.ts';
import type { IntegrationPorts } from './integration-ports.ts';
import { pullRequestBody } from './pull-request-body.ts';

/** The draft for the run's branch, made once; its text is brought up to date. Hosts without pull requests have none. */
export async function openPullRequest(
  ports: IntegrationPorts,
  run: Run,
  tasks: Task[],
  integration: Task,
): Promise<Run['pullRequest'] | undefined> {
  const [target] = run.targets;
  if (target === undefined) return undefined;
  const host = ports.codeHost(target);
  if (!host.hasPullRequests) return undefined;
  const body = pullRequestBody(run, tasks, integration);
  const factsOf = (found: { number: number; url: string }) => ({ number: found.number, url: found.url });
  const look = async () => {
    const found = await host.findPullRequest(target, target.headBranch);
    return found === undefined ? undefined : factsOf(found);
  };
  const act = async () => {
    const request = {
      headBranch: target.headBranch,
      baseBranch: target.baseRef ?? 'main',
      title: publicText(run.title),
      body,
    };
    return factsOf(await host.createPullRequest(target, request));
  };
  const result = await performEffect(
    ports,
    { tenant: run.tenant, run: run.id, id: 'pull-request' },
    { look, act },
  );
  const number = Number(result['number']);
  if (run.heads.length > 1) await host.updatePullRequest(target, number, { body });
  return { number, url: String(result['url']), ready: false };
}

/** After the assessments have passed: the text gets their verdicts, and the draft becomes ready. Doing it twice is fine. */
export async function markReady(
  ports: IntegrationPorts,
  run: Run,
  tasks: Task[],
): Promise<Run['pullRequest']> {
  const [target] = run.targets;
  const integration = tasks.find(({ id }) => id === `integrate-${run.integrations}`);
  if (target === undefined || run.pullRequest === undefined || integration === undefined)
    return run.pullRequest;
  const host = ports.codeHost(target);
  await host.updatePullRequest(target, run.pullRequest.number, {
    body: pullRequestBody(run, tasks, integration),
  });
  await host.markReady(target, run.pullRequest.number);
  return { ...run.pullRequest, ready: true };
}
