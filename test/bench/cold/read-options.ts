import { parseArgs } from 'node:util';

export interface ColdOptions {
  times: number;
  /** Functions by name; all without. */
  only: string[];
  isJson: boolean;
  hasCompileCache: boolean;
}

export const HELP = `npm run bench:cold [-- OPTIONS]

Starts every function as it is built, installed and baked, in fresh processes, each beside one of a hello on the bare functions framework.

  --times N            processes of each function (15)
  --only NAME          this function alone; may be repeated
  --no-compile-cache   without what gcp-build baked
  --json               one array: an object per function

listenMs: from the start of the process to the moment that it listens, median. ratioToBare: to the bare framework's beside it, each median.
rssMb: resident memory while it waits for its first message. firstMessageMs: its answer to that, on Google's emulators; null without them.
`;

/** @throws Error with what is wrong and what would be right. */
export function readOptions(args: string[]): ColdOptions | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      times: { type: 'string', default: '15' },
      only: { type: 'string', multiple: true, default: [] },
      'no-compile-cache': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const times = Number(values.times);
  if (!Number.isSafeInteger(times) || times < 1)
    throw new Error(`--times got '${values.times}' and takes a number from 1`);
  return {
    times,
    only: values.only,
    isJson: values.json,
    hasCompileCache: !values['no-compile-cache'],
  };
}
