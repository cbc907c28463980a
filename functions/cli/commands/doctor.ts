import type { Command } from 'commander';
import { PenstockError } from '../../../shared/ports/penstock-error.ts';
import { type ApiOptions, type Cli, configOf, newCommand, withUrl } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Screen } from '../screen.ts';

interface DoctorOptions extends ApiOptions {
  project?: string;
  region?: string;
}

/** One line of what was looked at. */
interface Line {
  name: string;
  state: string;
  detail: string;
}

const NAME_WIDTH = 14;
const PROJECT = /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/;
const REGION = /^[a-z]+-[a-z]+[0-9]{1,2}$/;

export function doctorCommand({ screen, end }: Cli): Command {
  const json =
    '{"ok", "findings": [{"name", "state": "ok | note | wrong", "detail"}]}; with --project "state" is "ok | missing | forbidden | wrong | unknown"';
  const command = newCommand(
    'doctor',
    'says what works on this machine, or in a project, and what does not',
    json,
  )
    .option('--project <id>', 'look at the system in this Google Cloud project instead; changes nothing')
    .option('--region <region>', 'where its functions are (default: looked for everywhere)');
  return withUrl(command).action(async (options: DoctorOptions) => {
    const findings =
      options.project === undefined ? await machine(options) : await project(options, options.project);
    const ok = findings.every(({ state }) => state === 'ok' || state === 'note');
    if (options.json === true) screen.json({ ok, findings });
    else print(screen, findings);
    const isUnreachable = findings.some(({ state }) => state === 'unknown');
    end(ok ? exitCodes.done : isUnreachable ? exitCodes.unreachable : exitCodes.failed);
  });
}

async function machine(options: DoctorOptions): Promise<Line[]> {
  if (options.region !== undefined) throw new PenstockError('invalid', '--region goes with --project');
  const { examine } = await import('../client/examine.ts');
  return examine(configOf(options));
}

async function project({ region }: DoctorOptions, id: string): Promise<Line[]> {
  if (!PROJECT.test(id))
    throw new PenstockError('invalid', `--project is '${id}' and takes the id of a Google Cloud project`);
  if (region !== undefined && !REGION.test(region))
    throw new PenstockError('invalid', `--region is '${region}' and takes a region such as europe-west1`);
  const [{ createProjectReader }, { examineProject }] = await Promise.all([
    import('../client/project-reader.ts'),
    import('../client/examine-project.ts'),
  ]);
  return examineProject(createProjectReader({ project: id, baseUrl: configOf().googleUrl }), region);
}

function print(screen: Screen, findings: readonly Line[]): void {
  const nameWidth = Math.max(NAME_WIDTH, ...findings.map(({ name }) => name.length + 2));
  const stateWidth = Math.max(...findings.map(({ state }) => state.length));
  for (const { name, state, detail } of findings) {
    const mark = state.padEnd(stateWidth);
    const { paint } = screen;
    const painted = state === 'ok' ? paint.good(mark) : state === 'note' ? mark : paint.bad(mark);
    screen.out(`${painted}  ${name.padEnd(nameWidth)}${detail}`);
  }
}
