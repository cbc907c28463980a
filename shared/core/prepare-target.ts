import type { RepositoryContract } from '../messages/repository-contract.ts';
import type { CodeHost } from '../ports/code-host.ts';
import type { Ports } from './ports.ts';
import { detectContract, manifestPaths } from './repository/detect-contract.ts';
import { CONTRACT_PATH, parseContract } from './repository/parse-contract.ts';
import type { EndReason, Run, Target } from './run.ts';

/** A manifest larger than this is not read. */
const MAX_MANIFEST_BYTES = 256 * 1024;

export interface PreparedTarget {
  targets: Target[];
  contract: { commands: RepositoryContract; reasons: string[] };
}

/** Why the person whom a code host names as the run's actor may not start it: only who can write to every target may. */
export async function refusedActor(
  ports: Pick<Ports, 'codeHost'>,
  { origin: { login }, targets }: Run,
): Promise<EndReason | undefined> {
  if (login === undefined) return undefined;
  for (const target of targets) {
    const permission = await ports.codeHost(target).permission(target, login);
    if (permission === 'admin' || permission === 'write') continue;
    const message = `${login} has ${permission} permission on ${target.repository}; only people who can write to it may start a run`;
    return { code: 'forbidden_actor', message };
  }
  return undefined;
}

/** Pins what the run works on, before the first model call: base SHA of each target, the first one's repository contract. */
export async function prepareTarget(
  ports: Pick<Ports, 'codeHost'>,
  run: Run,
): Promise<{ ok: true; prepared: PreparedTarget } | { ok: false; reason: EndReason }> {
  const targets: Target[] = [];
  for (const target of run.targets) {
    const pinned = await pin(ports.codeHost(target), target);
    if ('code' in pinned) return { ok: false, reason: pinned };
    targets.push(pinned);
  }
  const [first] = targets;
  if (first === undefined)
    return { ok: true, prepared: { targets: [], contract: { commands: {}, reasons: [] } } };
  const contract = await readContract(ports.codeHost(first), first, first.baseSha ?? '');
  return contract.ok ? { ok: true, prepared: { targets, contract: contract.contract } } : contract;
}

async function pin(host: CodeHost, target: Target): Promise<Target | EndReason> {
  const baseRef = target.baseRef ?? (await host.defaultBranch(target));
  const baseSha = baseRef === undefined ? undefined : await host.readBranch(target, baseRef);
  if (baseRef !== undefined && baseSha !== undefined) return { ...target, baseRef, baseSha };
  const message = `${target.repository} has no branch ${baseRef ?? 'to start from'}; name one with baseRef, or make a first commit`;
  return { code: 'not_found', message };
}

async function readContract(
  host: CodeHost,
  target: Target,
  sha: string,
): Promise<{ ok: true; contract: PreparedTarget['contract'] } | { ok: false; reason: EndReason }> {
  const own = await readText(host, target, sha, CONTRACT_PATH);
  if (own !== undefined) {
    try {
      return {
        ok: true,
        contract: { commands: parseContract(own), reasons: [`${CONTRACT_PATH} at ${sha.slice(0, 7)}`] },
      };
    } catch (error) {
      const message = `${CONTRACT_PATH} of ${target.repository}: ${error instanceof Error ? error.message : String(error)}`;
      return { ok: false, reason: { code: 'invalid_contract', message } };
    }
  }
  const { entries } = await host.readTree(target, sha, MAX_PATHS);
  const files = await Promise.all(
    entries.map(async ({ path }) => ({
      path,
      text: isManifest(path) ? ((await readText(host, target, sha, path)) ?? '') : '',
    })),
  );
  const { contract, reasons } = detectContract(files);
  return { ok: true, contract: { commands: contract, reasons } };
}

/** Paths of a repository that decomposition and detection look at. */
export const MAX_PATHS = 5_000;

/** Detection reads these; of all other files only the names count. */
function isManifest(path: string): boolean {
  const names: readonly string[] = manifestPaths;
  return names.includes(path);
}

async function readText(
  host: CodeHost,
  target: Target,
  sha: string,
  path: string,
): Promise<string | undefined> {
  const bytes = await host.readFile(target, sha, path, MAX_MANIFEST_BYTES);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
