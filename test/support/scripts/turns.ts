import { type Script, script } from '../../../shared/adapters/script/script-file.ts';

type Turn = Script['turns'][number];
type When = Turn['when'];
type Answer = Turn['answer'];

/** A script of turns that a test writes; ids are given by position. */
export function scriptOf(...parts: Omit<Turn, 'id'>[][]): Script {
  const turns = parts.flat().map((part, index) => ({ id: `turn-${index}`, ...part }));
  return script.parse({ name: 'written for a test', note: 'scripted by hand', turns });
}

export function turn(agent: string, when: When, answer: Answer, usage?: Turn['usage']): Omit<Turn, 'id'> {
  return { agent, when, answer, ...(usage === undefined ? {} : { usage }) };
}

/** A task that writes whole files and says that it is done. `told`: what it must have been told. */
export function writes(
  agent: string,
  task: string,
  files: Record<string, string>,
  told?: string[],
): Omit<Turn, 'id'>[] {
  const contains = told === undefined ? {} : { contains: told };
  return [
    turn(agent, { task, assistantTurns: 0, ...contains }, { tool_uses: fileCalls(files) }),
    turn(agent, { task, lastToolResultContains: ['wrote '] }, { text: `${task} is done.` }),
  ];
}

/** A task that reads a file, which must hold `found`, before it writes anything. */
export function rewrites(
  agent: string,
  task: string,
  change: { told: string[]; reads: string; found: string; files: Record<string, string> },
): Omit<Turn, 'id'>[] {
  const { told, reads, found, files } = change;
  return [
    turn(
      agent,
      { task, assistantTurns: 0, contains: told },
      { tool_uses: [{ name: 'read_file', input: { path: reads } }] },
    ),
    turn(
      agent,
      { task, assistantTurns: 1, lastToolResultContains: [found] },
      { tool_uses: fileCalls(files) },
    ),
    turn(
      agent,
      { task, assistantTurns: 2, lastToolResultContains: ['wrote '] },
      { text: `${task} is done.` },
    ),
  ];
}

/** A verdict on a diff that holds all of `contains`. */
export function reviews(
  task: string,
  verdict: 'approve' | 'request_changes',
  contains: string[],
  remarks: { path: string | null; text: string }[] = [],
): Omit<Turn, 'id'>[] {
  const summary = verdict === 'approve' ? 'It does what was asked.' : 'It must not be merged like this.';
  return [turn('code_reviewer', { task, contains }, { json: { verdict, summary, remarks } })];
}

function fileCalls(files: Record<string, string>) {
  return Object.entries(files).map(([path, content]) => ({ name: 'write_file', input: { path, content } }));
}

interface Planned {
  id: string;
  agent: string;
  instructions: string;
}

/** The architect's answer to a requirement that it does not need to look at. */
export function plans(...tasks: Planned[]): Omit<Turn, 'id'>[] {
  const whole = tasks.map((task) => ({
    title: task.id,
    dependencies: [],
    acceptance: ['The tests pass.'],
    scope: [],
    ...task,
  }));
  return [
    turn('project_architect', { task: 'plan' }, { json: { summary: 'As it was asked.', tasks: whole } }),
  ];
}
