import type { Row } from './emulate-github.ts';
import { completePayload, readJson, userJson } from './payloads.ts';
import { askEmulate, type StandInRepository, type World } from './world.ts';

type Json = Record<string, unknown>;

export interface ChangedFile {
  sha: string | null;
  filename: string;
  status: 'added' | 'removed' | 'modified' | 'renamed';
  additions: number;
  deletions: number;
  changes: number;
  patch?: string;
  previous_filename?: string;
}

export function findPullRequestRow(
  world: World,
  repository: StandInRepository,
  number: number,
): Row | undefined {
  const rows = world.emulated.state.pullRequests.findBy('repo_id', repository.id);
  return rows.find((row) => row['number'] === number);
}

export async function pullRequestJson(
  world: World,
  repository: StandInRepository,
  number: number,
): Promise<Json> {
  return readJson(
    await askEmulate(world, repository.system, `/repos/${repository.fullName}/pulls/${number}`),
  );
}

/** What of a pull request follows from git. */
export async function describePullRequest(
  repository: StandInRepository,
  baseRef: string,
  headSha: string,
): Promise<{
  base_sha: string;
  additions: number;
  deletions: number;
  changed_files: number;
  commits: number;
}> {
  const baseSha = (await repository.git.resolve(`refs/heads/${baseRef}`)) ?? headSha;
  const files = await changedFiles(repository, baseSha, headSha);
  const commits = Number(await repository.git.git(['rev-list', '--count', `${baseSha}..${headSha}`]));
  const sum = (count: (file: ChangedFile) => number): number =>
    files.reduce((total, file) => total + count(file), 0);
  return {
    base_sha: baseSha,
    additions: sum((file) => file.additions),
    deletions: sum((file) => file.deletions),
    changed_files: files.length,
    commits,
  };
}

export function diff(
  repository: StandInRepository,
  base: string,
  head: string,
  ...options: string[]
): Promise<string> {
  return repository.git.git([
    'diff',
    '--no-color',
    '--find-renames',
    ...options,
    '--merge-base',
    base,
    head,
    '--',
  ]);
}

/** The files that `head` changed since it left `base`, as `pulls/N/files` and `compare` list them. */
export async function changedFiles(
  repository: StandInRepository,
  base: string,
  head: string,
): Promise<ChangedFile[]> {
  const [raw, numbers, patches] = await Promise.all([
    diff(repository, base, head, '--raw', '-z', '--no-abbrev'),
    diff(repository, base, head, '--numstat', '-z'),
    diff(repository, base, head),
  ]);
  const counts = readCounts(numbers);
  const texts = patches.split(/^diff --git /m).slice(1);
  return readRaw(raw).map((file, index) => {
    const { additions, deletions } = counts[index] ?? { additions: 0, deletions: 0 };
    const text = texts[index] ?? '';
    const hunk = text.search(/^@@ /m);
    const patch = hunk < 0 ? {} : { patch: text.slice(hunk).trimEnd() };
    return { ...file, additions, deletions, changes: additions + deletions, ...patch };
  });
}

const STATUS: Record<string, ChangedFile['status']> = { A: 'added', D: 'removed', R: 'renamed' };

function readRaw(raw: string): Pick<ChangedFile, 'sha' | 'filename' | 'status' | 'previous_filename'>[] {
  const fields = raw.split('\0').filter(Boolean);
  const files = [];
  while (fields.length > 0) {
    const [, , before = '', after = '', letter = 'M'] = (fields.shift() ?? '').split(' ');
    const path = fields.shift() ?? '';
    const status = STATUS[letter.charAt(0)] ?? 'modified';
    const sha = status === 'removed' ? before : after;
    if (status === 'renamed')
      files.push({ sha, filename: fields.shift() ?? '', status, previous_filename: path });
    else files.push({ sha, filename: path, status });
  }
  return files;
}

/** `-` stands for a binary file. A rename has its two paths in fields of their own. */
function readCounts(numbers: string): { additions: number; deletions: number }[] {
  return [...numbers.matchAll(/(?:^|\0)(\d+|-)\t(\d+|-)\t/g)].map(([, added, deleted]) => ({
    additions: Number(added) || 0,
    deletions: Number(deleted) || 0,
  }));
}

/** An event that emulate does not know of. */
export function sendPullRequestEvent(
  world: World,
  repository: StandInRepository,
  number: number,
  action: string,
  extra: Json = {},
  sender = `${world.app.slug}[bot]`,
): void {
  const payload = async (): Promise<Json> =>
    completePayload(world, repository.owner, repository.name, {
      action,
      ...extra,
      pull_request: await pullRequestJson(world, repository, number),
      sender: await userJson(world, sender),
    });
  if (repository.installationId !== undefined) world.webhooks.send('pull_request', payload());
}
