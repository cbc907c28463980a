import type { Hono } from 'hono';
import type { Caller } from './access.ts';
import type { Row } from './emulate-github.ts';
import { sendPullRequestEvent } from './pull-requests.ts';
import { Refusal } from './refusal.ts';
import { readBody, type StandInRepository, type World } from './world.ts';

const MUTATIONS = {
  markPullRequestReadyForReview: { draft: false, action: 'ready_for_review' },
  convertPullRequestToDraft: { draft: true, action: 'converted_to_draft' },
};

/** The two mutations that only GraphQL has: into and out of draft. */
export function addGraphqlRoute(app: Hono, world: World): void {
  app.post('/graphql', async (context) => {
    const caller = await world.access.identify(context.req.header('authorization'));
    if (caller.kind === 'anonymous')
      throw new Refusal(401, 'This endpoint requires you to be authenticated.');
    const { query, variables = {} } = await readBody(context);
    const text = String(query);
    const name = mutationIn(text);
    if (name === undefined)
      return context.json(
        failure('undefinedField', 'The stand-in answers only pull request draft mutations'),
      );
    const id = pullRequestId(text, variables as Record<string, unknown>);
    const found = findByNodeId(world, id);
    if (found === undefined || !canWrite(world, caller, found.repository)) {
      return context.json(failure('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`));
    }
    return context.json({ data: { [name]: { pullRequest: setDraft(world, found, MUTATIONS[name]) } } });
  });
}

function mutationIn(text: string): keyof typeof MUTATIONS | undefined {
  const [, name] = /\b(markPullRequestReadyForReview|convertPullRequestToDraft)\s*\(/.exec(text) ?? [];
  return name as keyof typeof MUTATIONS | undefined;
}

function setDraft(
  world: World,
  { repository, row }: { repository: StandInRepository; row: Row },
  { draft, action }: { draft: boolean; action: string },
) {
  const changed = row['draft'] !== draft;
  world.emulated.state.pullRequests.update(row.id, { draft });
  if (changed) sendPullRequestEvent(world, repository, Number(row['number']), action);
  return { id: row['node_id'], number: row['number'], isDraft: draft };
}

/** From a literal, or from the variable that stands in its place (alone or inside `$input`). */
function pullRequestId(text: string, variables: Record<string, unknown>): string {
  const [, literal] = /pullRequestId:\s*"([^"]+)"/.exec(text) ?? [];
  if (literal !== undefined) return literal;
  const [, name] = /pullRequestId:\s*\$(\w+)/.exec(text) ?? [];
  const input = variables['input'] as Record<string, unknown> | undefined;
  return String(name === undefined ? input?.['pullRequestId'] : variables[name]);
}

function findByNodeId(world: World, id: string): { repository: StandInRepository; row: Row } | undefined {
  const row = world.emulated.state.pullRequests.findOneBy('node_id', id);
  const repository = [...world.repositories.values()].find((candidate) => candidate.id === row?.['repo_id']);
  return row === undefined || repository === undefined ? undefined : { repository, row };
}

function canWrite(world: World, caller: Caller, repository: StandInRepository): boolean {
  try {
    world.access.check(caller, repository, ['pull_requests'], 'write');
    return true;
  } catch {
    return false;
  }
}

/** GraphQL answers 200 to what fails. */
function failure(type: string, message: string) {
  return { data: null, errors: [{ type, message }] };
}
