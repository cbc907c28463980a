import type { ChangeEntry, ChangeSet } from '../../messages/change-set.ts';

export interface ProtectedPath {
  path: string;
  /** Why a person has to agree. */
  reason: 'GitHub configuration' | 'code owners' | 'CI configuration' | 'package scripts' | 'git attributes';
}

// The places GitHub and GitLab read it from.
const CODE_OWNERS = /^(\.github\/|\.gitlab\/|docs\/)?codeowners$/;
const CI = [
  /^\.gitlab-ci\.ya?ml$/,
  /^\.gitlab\/ci\//,
  /^\.circleci\//,
  /^\.buildkite\//,
  /^\.drone\.ya?ml$/,
  /^\.travis\.ya?ml$/,
  /^\.woodpecker(\.ya?ml$|\/)/,
  /^\.forgejo\/|^\.gitea\//,
  /^appveyor\.ya?ml$|^\.appveyor\.ya?ml$/,
  /^azure-pipelines([\w.-]*)\.ya?ml$|^\.azure-pipelines\//,
  /^bitbucket-pipelines\.ya?ml$/,
  /(^|\/)cloudbuild([\w.-]*)\.(ya?ml|json)$/,
  /(^|\/)jenkinsfile([\w.-]*)$/,
];

/**
 * Entries that need a person's agreement, because they change what runs with the repository's own rights.
 * `contents` holds the bytes of each `blob` and `before.blob` by SHA-256; a package.json without them counts as changed.
 */
export function protectedPaths(
  changeSet: Pick<ChangeSet, 'entries'>,
  contents: ReadonlyMap<string, Uint8Array>,
): ProtectedPath[] {
  return changeSet.entries.flatMap((entry) => {
    const reason = reasonOf(entry, contents);
    return reason === undefined ? [] : [{ path: entry.path, reason }];
  });
}

function reasonOf(
  entry: ChangeEntry,
  contents: ReadonlyMap<string, Uint8Array>,
): ProtectedPath['reason'] | undefined {
  // File systems of the people who check it out may fold case.
  const path = entry.path.toLowerCase();
  if (CODE_OWNERS.test(path)) return 'code owners';
  if (path.startsWith('.github/')) return 'GitHub configuration';
  if (CI.some((pattern) => pattern.test(path))) return 'CI configuration';
  if (/(^|\/)\.gitattributes$|(^|\/)\.gitmodules$/.test(path)) return 'git attributes';
  if (/(^|\/)package\.json$/.test(path) && scriptsDiffer(entry, contents)) return 'package scripts';
  return undefined;
}

function scriptsDiffer(entry: ChangeEntry, contents: ReadonlyMap<string, Uint8Array>): boolean {
  const before = scriptsOf(entry.before?.blob ?? null, contents);
  const after = scriptsOf(entry.blob, contents);
  return before === undefined || after === undefined || before !== after;
}

/** Canonical text of the scripts, the same for no file and no scripts; `undefined` where they cannot be read. */
function scriptsOf(blob: string | null, contents: ReadonlyMap<string, Uint8Array>): string | undefined {
  if (blob === null) return '[]';
  const bytes = contents.get(blob);
  if (bytes === undefined) return undefined;
  try {
    const manifest: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const scripts =
      typeof manifest === 'object' && manifest !== null && 'scripts' in manifest ? manifest.scripts : {};
    if (typeof scripts !== 'object' || scripts === null) return undefined;
    return JSON.stringify(Object.entries(scripts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  } catch {
    return undefined;
  }
}
