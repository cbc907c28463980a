import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface SampleRepository {
  folder: string;
  baseSha: string;
  remove(): void;
}

/** A real git repository in a temporary folder with one commit of these files. */
export function createSampleRepository(files: Record<string, string>): SampleRepository {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-sample-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@localhost', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet', '--initial-branch=main');
  git('config', 'uploadpack.allowAnySHA1InWant', 'true');
  git('add', '.');
  git('commit', '--quiet', '-m', 'Base');
  return {
    folder,
    baseSha: git('rev-parse', 'HEAD'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
