import { parseArgs } from 'node:util';
import { resolve } from 'node:path';

export interface LauncherOptions {
  port: number;
  /** Folder of built functions. */
  built?: string;
  model: string;
  sweepSeconds: number;
  data?: string;
  github: boolean;
  issue: boolean;
}

export const HELP = `npm run cluster [-- OPTIONS]

Runs the whole system as separate processes: every function by the functions framework on a port of its own, on Google's
Firestore and Pub/Sub emulators, with stand-ins for Cloud Storage and Cloud Run, whose jobs are child processes.

  --port N            where the front door listens (8080; 0: any free port)
  --built [FOLDER]    the functions that npm run build made, in place of their source (dist)
  --model MODEL       anthropic (the key is in ANTHROPIC_API_KEY), script:FILE, or rule: edits until the tests pass
  --github            a GitHub stand-in with the sample repository
  --issue             the same, and an issue on it that asks for what the demo asks for, played by the demo's script
  --sweep-seconds N   between two calls of the sweep (1)
  --data FOLDER       logs, blobs and workspaces (a new one that is removed at the end)

Variables of the functions (PENSTOCK_…, GITHUB_…, ANTHROPIC_…, OTEL_…, LOG_LEVEL) are handed on to each of them.
It runs until Ctrl-C, and nothing that it has started outlives it.
`;

/** @throws Error with what is wrong and what would be right. */
export function readOptions(
  args: string[],
  env: Record<string, string | undefined>,
): LauncherOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '8080' },
      built: { type: 'string' },
      model: { type: 'string', default: env['PENSTOCK_MODEL'] ?? 'anthropic' },
      github: { type: 'boolean', default: false },
      issue: { type: 'boolean', default: false },
      'sweep-seconds': { type: 'string', default: '1' },
      data: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const { built, data, issue } = values;
  return {
    port: numberOf('--port', values.port, 65_535),
    ...(built === undefined ? {} : { built: resolve(built) }),
    model: values.model,
    sweepSeconds: numberOf('--sweep-seconds', values['sweep-seconds'], 3_600),
    ...(data === undefined ? {} : { data: resolve(data) }),
    github: values.github || issue,
    issue,
  };
}

function numberOf(name: string, text: string, max: number): number {
  const number = Number(text);
  if (text !== '' && number >= 0 && number <= max) return number;
  throw new Error(`${name} got '${text}' and takes a number from 0 to ${max}`);
}
