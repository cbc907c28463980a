/** As npm writes it; what only npm reads of a package is kept as it is. */
export interface Lockfile {
  packages: Record<string, { resolved?: string; dependencies?: Record<string, string> }>;
}

/** What npm writes of the package itself. */
export interface Manifest {
  name: string;
  version: string;
  license: string;
  engines: Record<string, string>;
  dependencies: Record<string, string>;
}

/** The lockfile of a package with these dependencies alone, at the versions and places of the project's own. It names no registry's host. */
export function deriveLockfile(project: Lockfile, manifest: Manifest): object {
  const { name, version, license, engines, dependencies } = manifest;
  const places = new Set(['']);
  for (const place of places) {
    const wanted = place === '' ? dependencies : project.packages[place]?.dependencies;
    for (const dependency of Object.keys(wanted ?? {})) places.add(placeOf(project, dependency, place));
  }
  places.delete('');
  const packages = [...places].toSorted().map((place) => {
    const { resolved: _, ...entry } = project.packages[place] ?? {};
    return [place, entry] as const;
  });
  return {
    name,
    version,
    lockfileVersion: 3,
    requires: true,
    packages: { '': { name, version, license, dependencies, engines }, ...Object.fromEntries(packages) },
  };
}

/** Node's way: the nearest `node_modules` at or above the package that asks. */
function placeOf({ packages }: Lockfile, name: string, asking: string): string {
  for (let folder = asking; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) return place;
    if (folder === '')
      throw new Error(`package-lock.json lacks ${name}, which ${asking || 'the archive'} needs: npm install`);
  }
}
