import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalGitCodeHost } from '../../../shared/adapters/local/local-git-code-host.ts';
import { prepareTarget } from '../../../shared/core/prepare-target.ts';
import { runOf } from '../../support/records.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';

describe('preparing a run with two targets', () => {
  const host = createLocalGitCodeHost();
  let first: SampleRepository;
  let second: SampleRepository;
  beforeEach(() => {
    first = createSampleRepository({ '.github/penstock.yml': 'test: make first\n' });
    second = createSampleRepository({ '.github/penstock.yml': 'test: make second\n' });
  });
  afterEach(() => {
    first.remove();
    second.remove();
  });
  const target = (repository: string) => ({
    host: 'local-git' as const,
    repository,
    headBranch: 'penstock/run1',
  });
  const prepare = (...repositories: string[]) =>
    prepareTarget({ codeHost: () => host }, runOf({ targets: repositories.map(target) }));

  it('pins each at its own base, and takes the commands of the first', async () => {
    expect(await prepare(first.folder, second.folder)).toMatchObject({
      ok: true,
      prepared: {
        targets: [
          { repository: first.folder, baseRef: 'main', baseSha: first.baseSha },
          { repository: second.folder, baseRef: 'main', baseSha: second.baseSha },
        ],
        contract: { commands: { test: ['make first'] } },
      },
    });
  });

  it('refuses all when one is not there', async () => {
    const reason = { code: 'not_found', message: expect.stringContaining('/nowhere') };
    expect(await prepare(first.folder, '/nowhere')).toEqual({ ok: false, reason });
  });
});
