import type { RunView } from '../../shared/messages/run-view.ts';
import { decisionAnswers } from './client/decision-answers.ts';
import type { Source } from './client/sources.ts';
import { decisionText } from './render/decision-text.ts';
import type { Screen } from './screen.ts';

/** What a run waits for a person to decide, and how to answer; nothing where it waits for nothing. */
export async function sayDecisions(
  { source, run }: { source: Source; run: RunView },
  screen: Screen,
): Promise<void> {
  const { decisions = [] } = run;
  for (const id of decisions) {
    const { view } = await decisionAnswers.one(source.client, id);
    for (const line of ['', ...decisionText(view)]) screen.out(line);
  }
  const folder = source.kind === 'folder' ? source.name : source.folder;
  if (decisions.length > 0 && folder !== undefined)
    screen.out(
      `  run ${run.id} waits in ${folder}: first 'npx penstock up --data ${folder}', then answer it there`,
    );
}
