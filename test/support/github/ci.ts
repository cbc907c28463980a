import { completePayload, readJson } from './payloads.ts';
import { askEmulate, type CommitStatus, type StandInRepository, type World } from './world.ts';

export interface Checked {
  sha: string;
  name: string;
  /** @default it is under way */
  conclusion?: string;
  title?: string;
  summary?: string;
  /** Whether more check runs will come once those of now are over. */
  unfinished?: boolean;
}

export type Stated = Omit<CommitStatus, 'repository'>;

/** As GitHub tells it: that a check run has begun, and then that it is over. */
export async function sayByCheckRun(
  world: World,
  repository: StandInRepository,
  { sha, name, conclusion, title, summary, unfinished = false }: Checked,
): Promise<void> {
  world.ci.unfinished[unfinished ? 'add' : 'delete'](sha);
  const path = `/repos/${repository.fullName}/check-runs`;
  const ask = async (method: string, address: string, body: object): Promise<number> => {
    const answer = await askEmulate(world, repository.system, address, { method, body });
    if (!answer.ok) throw new Error(`Check run ${name} was refused: ${answer.status} ${await answer.text()}`);
    return Number((await readJson(answer))['id']);
  };
  const known = world.emulated.state.checkRuns
    .findBy('repo_id', repository.id)
    .find((row) => world.ci.checkRuns.has(row.id) && row['head_sha'] === sha && row['name'] === name);
  const id = known?.id ?? (await ask('POST', path, { name, head_sha: sha, status: 'in_progress' }));
  world.ci.checkRuns.add(id);
  if (conclusion === undefined) return;
  const output = title === undefined && summary === undefined ? {} : { output: { title, summary } };
  await ask('PATCH', `${path}/${id}`, { status: 'completed', conclusion, ...output });
}

export function sayByStatus(world: World, repository: StandInRepository, stated: Stated): void {
  world.ci.statuses.unshift({ repository: repository.id, ...stated });
  const { owner, name } = repository;
  const payload = async (): Promise<Record<string, unknown>> => {
    const heads = [...(await repository.git.refs('refs/heads/'))].filter(([, head]) => head === stated.sha);
    const branches = heads.map(([ref, sha]) => ({ name: ref.slice('refs/heads/'.length), commit: { sha } }));
    return completePayload(world, owner, name, { ...stated, name: repository.fullName, branches });
  };
  world.webhooks.send('status', payload());
}
