/** A file of the repository's root, as far as detection needs it. */
export interface RepositoryFile {
  path: string;
  text: string;
}

/** What one kind of manifest says. */
export interface Detection {
  setup: string[];
  test: string[];
  reasons: string[];
}

export const nothing: Detection = { setup: [], test: [], reasons: [] };

export function textOf(files: readonly RepositoryFile[], path: string): string | undefined {
  return files.find((file) => file.path === path)?.text;
}
