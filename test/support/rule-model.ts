import type { ArchitectAnswer, ReviewAnswer } from '../../shared/messages/plan.ts';
import type { WireAnswer, WireRequest } from '../../shared/adapters/script/messages-protocol.ts';
import {
  digest,
  startMessagesServer,
  type MessagesServer,
} from '../../shared/adapters/script/messages-server.ts';
import { suggestEdits, type Candidate } from './rule-model-edits.ts';
import {
  isGreen,
  readDeeds,
  readFailure,
  readSuspect,
  withoutLineNumbers,
  type Deed,
} from './rule-model-reading.ts';

/** How many edits it tries before it gives up. */
const MAX_TRIES = 15;

/**
 * A model that cannot know the answer: no script, no seed, only rules. It runs the tests, reads the failing assertion,
 * reads the test and the file that it imports, and edits that file by rule until the tests pass.
 * As architect it plans one task; as reviewer it approves only what the checks in the conversation call green.
 */
export async function startRuleModel(port = 0): Promise<MessagesServer> {
  return startMessagesServer({ port, answer: answerByRule });
}

export function answerByRule(request: WireRequest): WireAnswer {
  const asked = Object.keys(request.outputSchema?.['properties'] ?? {});
  if (asked.includes('tasks')) return say(JSON.stringify(plan(request)));
  if (asked.includes('verdict')) return say(JSON.stringify(review(request)));
  const tools = new Set(request.tools.map(({ name }) => name));
  return tools.has('run_tests') && tools.has('edit_file') ? repair(request) : say('Nothing to add.');
}

function plan(request: WireRequest): ArchitectAnswer {
  return {
    summary: 'One task: make the failing tests pass.',
    tasks: [
      {
        id: 'fix',
        agent: 'backend_developer',
        title: 'Make the failing tests pass',
        instructions: `Run the tests and repair what fails. What was asked for:\n${heardText(request).slice(0, 2_000)}`,
        dependencies: [],
        acceptance: ["The repository's own tests pass."],
        scope: ['src/**'],
      },
    ],
  };
}

/** Lines about checks and summaries of test runs count; what a diff says does not. */
function review(request: WireRequest): ReviewAnswer {
  const lines = heardText(request).split('\n');
  const verdicts = lines.flatMap((line) => {
    const failures = /^\W*fail (\d+)\s*$/.exec(line)?.[1];
    if (failures !== undefined) return [failures === '0'];
    const json = /"passed": ?(true|false)/.exec(line)?.[1];
    if (json !== undefined) return [json === 'true'];
    // As the platform writes its own check results into a reviewer's prompt.
    const told = /^`[^`]+` (passed|failed)\b/.exec(line)?.[1];
    if (told !== undefined) return [told === 'passed'];
    if (!/^[\s*-]*checks?\b/i.test(line)) return [];
    if (/\b(fail|failed|failing|red|not ok)\b/i.test(line)) return [false];
    return /\b(pass|passed|green|ok)\b/i.test(line) ? [true] : [];
  });
  if (verdicts.length > 0 && verdicts.every(Boolean)) {
    return { verdict: 'approve', summary: 'The checks are green.', remarks: [] };
  }
  const text = verdicts.length === 0 ? 'No check result is shown.' : 'A check is red.';
  return { verdict: 'request_changes', summary: text, remarks: [{ path: null, text }] };
}

function repair(request: WireRequest): WireAnswer {
  const deeds = readDeeds(request.turns);
  const runs = deeds.filter(({ name }) => name === 'run_tests');
  const last = deeds.at(-1);
  const latestRun = runs.at(-1);
  if (latestRun === undefined || last?.name === 'edit_file') return use(deeds, 'run_tests', {});
  if (isGreen(latestRun.result)) return say(`The tests pass now, after ${countEdits(deeds)} edits.`);

  const failure = readFailure(runs[0]?.result ?? '');
  if (failure === undefined) return say('The tests fail in a way that no rule reads.');
  const test = contentOf(deeds, failure.testPath);
  if (test === undefined) return use(deeds, 'read_file', { path: failure.testPath });
  const suspect = readSuspect(test, failure);
  if (suspect === undefined) return say(`${failure.testPath} imports nothing that the assertion calls.`);
  const source = contentOf(deeds, suspect.path);
  if (source === undefined) return use(deeds, 'read_file', { path: suspect.path });

  const candidates = suggestEdits(source, suspect.name, failure);
  const tried = countEdits(deeds);
  const next = candidates[tried];
  if (next === undefined || tried >= MAX_TRIES) return say(`No rule repairs ${suspect.path}.`);
  return use(deeds, 'edit_file', { path: suspect.path, ...editTo(source, candidates[tried - 1], next) });
}

/** From the source with the previous candidate to the source with the next one, as one edit of a unique passage. */
function editTo(
  source: string,
  previous: Candidate | undefined,
  next: Candidate,
): { old: string; new: string } {
  const before = withCandidate(source, previous);
  const after = withCandidate(source, next);
  let from = Math.min(next.line, previous?.line ?? next.line);
  let to = Math.max(next.line, previous?.line ?? next.line);
  const passage = (lines: string[]) => lines.slice(from, to + 1).join('\n');
  while (before.join('\n').split(passage(before)).length > 2 && (from > 0 || to < before.length - 1)) {
    from = Math.max(0, from - 1);
    to = Math.min(before.length - 1, to + 1);
  }
  return { old: passage(before), new: passage(after) };
}

function withCandidate(source: string, candidate: Candidate | undefined): string[] {
  const lines = source.split('\n');
  if (candidate !== undefined) lines[candidate.line] = candidate.text;
  return lines;
}

function countEdits(deeds: Deed[]): number {
  return deeds.filter(({ name }) => name === 'edit_file').length;
}

function contentOf(deeds: Deed[], path: string): string | undefined {
  const read = deeds.find(
    ({ name, input, isError }) => name === 'read_file' && input['path'] === path && !isError,
  );
  return read === undefined ? undefined : withoutLineNumbers(read.result);
}

function heardText({ turns }: WireRequest): string {
  const blocks = turns.filter(({ role }) => role === 'user').flatMap((turn) => turn.blocks);
  return blocks
    .map((block) => (block.type === 'text' ? block.text : block.type === 'tool_result' ? block.content : ''))
    .join('\n');
}

function use(deeds: Deed[], name: string, input: Record<string, unknown>): WireAnswer {
  const id = `toolu_${digest([deeds.length, name, input])}`;
  return { blocks: [{ type: 'tool_use', id, name, input }], stop: 'tool_use' };
}

function say(text: string): WireAnswer {
  return { blocks: [{ type: 'text', text }], stop: 'end' };
}
