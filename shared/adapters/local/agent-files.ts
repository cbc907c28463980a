import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Agent } from '../../messages/agent-file.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { promptNames, type Prompts } from '../../core/agents/render-prompt.ts';
import { validateAgents } from '../../core/agents/validate-agents.ts';

const promptFiles = z.record(z.enum(promptNames), z.string());

/** All agents of a folder, in order of name. Throws `config` with every reason of every file as `file:line: reason`. */
export async function loadAgents(folder: string): Promise<Agent[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.md') && name !== 'README.md');
  const files = await Promise.all(
    names.toSorted().map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })),
  );
  const result = validateAgents(files);
  if ('agents' in result) {
    if (result.agents.length > 0) return result.agents;
    throw new PenstockError(
      'config',
      `There is no agent file in ${folder}. Add one, such as backend_developer.md.`,
    );
  }
  const reasons = result.reasons.map(({ file, line, message }) => `${file}:${line}: ${message}`);
  throw new PenstockError(
    'config',
    `The agent files in ${folder} cannot be used. Correct them:\n${reasons.join('\n')}`,
    { reasons },
  );
}

/** The prompts that agents share. Throws `config` naming every file that is missing. */
export async function loadPrompts(folder: string): Promise<Prompts> {
  const entries = await Promise.all(
    promptNames.map(async (name) => {
      const text = await readFile(join(folder, `${name}.md`), 'utf8').catch(() => undefined);
      return [name, text?.trim()] as const;
    }),
  );
  const missing = entries.filter(([, text]) => text === undefined).map(([name]) => `${name}.md`);
  if (missing.length > 0)
    throw new PenstockError('config', `${missing.join(', ')} missing in ${folder}.`, { reasons: missing });
  return promptFiles.parse(Object.fromEntries(entries));
}
