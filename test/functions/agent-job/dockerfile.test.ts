import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

/** Instructions of a Dockerfile, continued lines joined, comments left out, by stage; `''` is what stands before the first. */
function stagesOf(text: string): Map<string, { from: string; lines: string[] }> {
  const instructions = text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages = new Map([['', { from: '', lines: [] as string[] }]]);
  let current = '';
  for (const line of instructions) {
    const [, from, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (from !== undefined && name !== undefined) stages.set((current = name), { from, lines: [] });
    else stages.get(current)?.lines.push(line);
  }
  return stages;
}

const stages = stagesOf(read('functions/agent-job/Dockerfile'));
const linesOf = (stage: string, instruction: string): string[] =>
  (stages.get(stage)?.lines ?? [])
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1));

describe('The image of jobs', () => {
  it('has the stages base, development and production', () => {
    expect([...stages.keys()]).toEqual(['', 'base', 'development', 'production']);
    expect(stages.get('development')?.from).toBe('base');
    expect(stages.get('production')?.from).toBe('base');
  });

  it("stands on the project's own Node, on slim Debian", () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    expect(linesOf('', 'ARG')).toContain(`NODE_VERSION=${devDependencies['node']}`);
    expect(stages.get('base')?.from).toBe('node:${NODE_VERSION}-${DEBIAN_RELEASE}-slim');
  });

  it.each(['development', 'production'])('runs as nobody in particular: %s', (stage) => {
    expect(linesOf(stage, 'USER').at(-1)).toBe('1000:2000');
    expect(linesOf(stage, 'USER')).toHaveLength(1);
  });

  it('has the programs that agents and repositories need', () => {
    const installed = linesOf('base', 'RUN').join(' ').split(/\s+/);
    expect(installed).toEqual(
      expect.arrayContaining(['git', 'ripgrep', 'bubblewrap', 'build-essential', 'make', 'python3', 'tini']),
    );
  });

  it('says what it is', () => {
    const labels = linesOf('production', 'LABEL').join(' ');
    for (const name of ['title', 'description', 'licenses', 'version', 'revision'])
      expect(labels).toContain(`org.opencontainers.image.${name}="`);
  });

  it('starts the job, which gets the signals', () => {
    expect(linesOf('production', 'ENTRYPOINT')).toEqual([
      '["tini", "--", "node", "--enable-source-maps", "/app"]',
    ]);
    expect(linesOf('production', 'COPY')).toEqual(['. /app']);
  });
});
