import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const FILES = ['AGENTS.md', 'CLAUDE.md'];
const MAX_GUIDANCE_BYTES = 8 * 1024;

/** What the repository says to agents: the first file that is there, cut at 8 KB. Never follows a link: it is read outside the sandbox. */
export async function readGuidance(checkout: string): Promise<string | undefined> {
  for (const name of FILES) {
    const text = await readStart(join(checkout, name));
    if (text !== undefined && text.trim() !== '') return text;
  }
  return undefined;
}

async function readStart(path: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_GUIDANCE_BYTES), 0, MAX_GUIDANCE_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
