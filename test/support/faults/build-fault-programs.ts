import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundle } from '../../../functions/build/bundle.ts';
import { FAULT_PROGRAMS, faultProgramsIn } from './fault-programs.ts';

/** What they read from the project while they run. */
const DATA = ['package.json', 'shared/agents', 'shared/prompts', 'workflows'];

/** Makes the fault programs beside the deployables in `built`: each is started dozens of times, and its source takes a second more. */
export async function buildFaultPrograms(root: string, built: string): Promise<void> {
  const out = faultProgramsIn(built);
  const entries = FAULT_PROGRAMS.map((name) => `test/support/faults/${name}.ts`);
  for (const { path, contents } of [...(await bundle(root, entries)).values()].flat()) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), contents);
  }
  for (const path of DATA) await cp(join(root, path), join(out, path), { recursive: true });
}
