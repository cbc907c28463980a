import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { runGit } from '../../../shared/adapters/local/git-command.ts';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import type { RequirementInput } from './submit-requirement.ts';

const GITHUB_NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/[A-Za-z0-9._-]{1,100}$/;
const MAX_PLAN_BYTES = 4 * 1024 * 1024;

/** `owner/name` as it is, unless such a folder exists here; a path as the absolute top of its checkout. */
export async function readTarget(repo: string): Promise<string> {
  const path = resolve(repo);
  if (GITHUB_NAME.test(repo) && !(await isFolder(path))) return repo;
  if (!(await isFolder(path))) {
    throw new PenstockError(
      'invalid',
      `--repo is '${repo}': there is no such folder, and it is not owner/name`,
    );
  }
  const { exitCode, stdout } = await runGit(['rev-parse', '--show-toplevel'], { cwd: path, answers: [128] });
  const top = stdout.toString('utf8').trim();
  if (exitCode === 0 && top !== '') return top;
  throw new PenstockError(
    'invalid',
    `${path} is not in a git checkout; give --repo PATH or --repo owner/name, or --no-repo for a requirement without one`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** A plan from a JSON or YAML file. What is in it, the platform checks. */
export async function readPlanFile(file: string): Promise<RequirementInput['plan']> {
  const { size } = await stat(file).catch((cause: unknown) => {
    throw new PenstockError('invalid', `--plan is '${file}', which cannot be read`, { cause });
  });
  if (size > MAX_PLAN_BYTES)
    throw new PenstockError('invalid', `${file} has ${size} bytes; a plan has at most ${MAX_PLAN_BYTES}`);
  try {
    return parse(await readFile(file, 'utf8')) as RequirementInput['plan'];
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new PenstockError('invalid', `${file} is neither JSON nor YAML: ${why}`, { cause: error });
  }
}
