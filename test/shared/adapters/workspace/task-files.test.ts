import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { collectChangeSet } from '../../../../shared/adapters/workspace/collect-change-set.ts';
import { writeTaskFiles, type TaskFiles } from '../../../../shared/adapters/workspace/task-files.ts';
import { makeRepository, type TestRepository } from './make-repository.ts';

const FILES: TaskFiles = {
  task: 'api',
  attempt: 1,
  taskText: '# Task\n',
  designSpec: '# Spec\n',
  prompt: 'Do it.\n',
  metadata: { run: 'r1', attempt: 1 },
};

describe('the files of a task', () => {
  let repository: TestRepository;
  beforeEach(async () => {
    repository = await makeRepository({ 'a.txt': 'a\n' });
  });
  afterEach(() => repository.remove());

  it('lie beside the checkout, one folder per attempt, and enter no change set', async () => {
    const workspace = await repository.prepare();
    const root = join(workspace.directory, 'workspace');
    expect(await writeTaskFiles(workspace, FILES)).toBe(join(root, '.task/api/run-1'));
    const second = await writeTaskFiles(workspace, { ...FILES, attempt: 2, prompt: 'Again.\n' });
    expect((await readdir(root)).toSorted()).toEqual(['.task', 'CLAUDE.md', 'app']);
    expect((await readdir(second)).toSorted()).toEqual([
      'design-spec.md',
      'metadata.yaml',
      'prompt.md',
      'task.md',
    ]);
    expect(parse(await readFile(join(second, 'metadata.yaml'), 'utf8'))).toEqual(FILES.metadata);
    expect(await readFile(join(root, '.task/api/run-1/prompt.md'), 'utf8')).toBe('Do it.\n');
    expect((await collectChangeSet(workspace)).changeSet.entries).toEqual([]);
  });

  it('are imported by CLAUDE.md', async () => {
    const workspace = await repository.prepare();
    await writeTaskFiles(workspace, { ...FILES, attempt: 3 });
    const root = join(workspace.directory, 'workspace');
    const imports = (await readFile(join(root, 'CLAUDE.md'), 'utf8'))
      .match(/^@.*$/gm)!
      .map((line) => line.slice(1));
    const texts = await Promise.all(imports.map((path) => readFile(join(root, path), 'utf8')));
    expect(texts).toEqual(['# Task\n', '# Spec\n', 'Do it.\n']);
  });

  it('are never overwritten, and their names cannot lead elsewhere', async () => {
    const workspace = await repository.prepare();
    await writeTaskFiles(workspace, FILES);
    await expect(writeTaskFiles(workspace, FILES)).rejects.toMatchObject({ code: 'conflict' });
    await expect(writeTaskFiles(workspace, { ...FILES, task: '../x' })).rejects.toThrow('task id');
  });
});
