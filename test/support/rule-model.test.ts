import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { createAnthropicModel } from '../../shared/adapters/anthropic/anthropic-model.ts';
import type { MessagesServer } from '../../shared/adapters/script/messages-server.ts';
import { architectAnswer, reviewAnswer } from '../../shared/messages/plan.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Block, Model, ModelRequest, Turn } from '../../shared/ports/model.ts';
import { bugKinds, generateRepositories, type GeneratedRepository } from './generate-repository.ts';
import { startRuleModel } from './rule-model.ts';

const SEED = 2_024;
const MAX_TURNS = 40;
const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silent,
};
const toolInput = z.record(z.string(), z.string());
const names = ['read_file', 'edit_file', 'run_tests'];
const tools = names.map((name) => ({ name, description: name, inputSchema: { type: 'object' } }));

function runTests(folder: string): Promise<{ passed: boolean; output: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, timeout: 20_000, env: { PATH: process.env['PATH'] } };
    execFile(process.execPath, ['--test'], options, (error, stdout, stderr) => {
      resolve({ passed: error === null, output: stdout + stderr });
    });
  });
}

async function runTool(
  folder: string,
  name: string,
  input: Record<string, string>,
  mayEdit: boolean,
): Promise<string> {
  if (name === 'run_tests') return (await runTests(folder)).output;
  const path = join(folder, input['path'] ?? '');
  const content = await readFile(path, 'utf8');
  if (name === 'read_file') return content;
  const parts = content.split(input['old'] ?? '');
  if (parts.length !== 2) return `old stands ${parts.length - 1} times in the file`;
  if (mayEdit) await writeFile(path, parts.join(input['new']));
  return 'edited';
}

/** The loop of an agent, over real files and a real test runner. Answers what the model said and did. */
async function work(model: Model, folder: string, mayEdit = true): Promise<Block[]> {
  const turns: Turn[] = [
    { role: 'user', blocks: [{ type: 'text', text: 'Task: fix\nMake the tests pass.' }] },
  ];
  for (let n = 0; n < MAX_TURNS; n += 1) {
    const { turn, stop } = await model.answer(request({ turns }));
    turns.push(turn);
    if (stop !== 'tool_use') break;
    const blocks: Block[] = [];
    for (const block of turn.blocks) {
      if (block.type !== 'tool_use') continue;
      const content = await runTool(folder, block.name, toolInput.parse(block.input), mayEdit);
      blocks.push({ type: 'tool_result', toolUseId: block.id, content, isError: false });
    }
    turns.push({ role: 'user', blocks });
  }
  return turns.slice(1).flatMap(({ blocks }) => blocks);
}

function request(changes: Partial<ModelRequest>): ModelRequest {
  return {
    model: 'claude-sonnet-5-5',
    system: 'Agent: backend_developer',
    turns: [],
    tools,
    maxOutputTokens: 1_000,
    timeoutMs: 10_000,
    ...changes,
  };
}

function heard(text: string): Turn[] {
  return [{ role: 'user', blocks: [{ type: 'text', text }] }];
}

describe('the rule model', () => {
  let server: MessagesServer;
  let root: string;
  let model: Model;
  beforeAll(async () => {
    server = await startRuleModel();
    root = await mkdtemp(join(tmpdir(), 'penstock-rules-'));
    model = createAnthropicModel({ apiKey: 'none', baseUrl: server.url, provider: 'script', log: silent });
  });
  afterAll(async () => {
    await server.stop();
    await rm(root, { recursive: true, force: true });
  });
  const write = async ({ name, files }: GeneratedRepository, suffix = '') => {
    const folder = join(root, name + suffix);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return folder;
  };
  const repositories = generateRepositories(SEED, 20);

  it.each(repositories.map((repository) => [repository.name, repository.kind, repository] as const))(
    'repairs %s, which has a wrong %s',
    async (_, __, repository) => {
      const folder = await write(repository);
      expect((await runTests(folder)).passed).toBe(false);
      const edits = (await work(model, folder)).filter(
        (b) => b.type === 'tool_use' && b.name === 'edit_file',
      );
      expect((await runTests(folder)).passed).toBe(true);
      expect(edits.length).toBeGreaterThan(0);
      for (const [path, content] of Object.entries(repository.files)) {
        if (!path.startsWith('src/')) expect(await readFile(join(folder, path), 'utf8')).toBe(content);
      }
    },
  );

  it('does not claim success when its edits do nothing', async () => {
    const folder = await write(repositories[0] ?? { name: '', kind: 'operator', files: {} }, '-frozen');
    const blocks = await work(model, folder, false);
    expect(blocks.at(-1)).toMatchObject({ type: 'text', text: 'No rule repairs src/limits.js.' });
    expect((await runTests(folder)).passed).toBe(false);
  });

  const json = async (changes: Partial<ModelRequest>): Promise<unknown> => {
    const { turn } = await model.answer(request({ tools: [], ...changes }));
    return JSON.parse(turn.blocks.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join(''));
  };

  it('plans one task as architect', async () => {
    const outputSchema = z.record(z.string(), z.unknown()).parse(z.toJSONSchema(architectAnswer));
    const answer = architectAnswer.parse(await json({ outputSchema, turns: heard('Totals are wrong.') }));
    expect(answer.tasks).toMatchObject([{ id: 'fix', agent: 'backend_developer', dependencies: [] }]);
    expect(answer.tasks[0]?.instructions).toContain('Totals are wrong.');
  });

  it.each([
    ['Check: npm test passed\n+ the diff says failed', 'approve'],
    ['- check `npm test` → ok (3 passed)', 'approve'],
    ['Check: npm test passed\nCheck: npm run lint failed', 'request_changes'],
    ['`npm test` passed (3 passed)', 'approve'],
    ['`npm test` failed with exit code 1 (1 failed)', 'request_changes'],
    ['{"command":"npm test","passed": false}', 'request_changes'],
    ['ℹ pass 3\nℹ fail 1', 'request_changes'],
    ['The diff looks good and passed.', 'request_changes'],
  ])('reviews %j with: %s', async (text, verdict) => {
    const outputSchema = z.record(z.string(), z.unknown()).parse(z.toJSONSchema(reviewAnswer));
    expect(reviewAnswer.parse(await json({ outputSchema, turns: heard(text) })).verdict).toBe(verdict);
  });
});

describe('generated repositories', () => {
  it('are the same for the same seed, different for another, and have bugs of every kind', () => {
    expect(generateRepositories(SEED, 20)).toEqual(generateRepositories(SEED, 20));
    expect(generateRepositories(SEED + 1, 20)).not.toEqual(generateRepositories(SEED, 20));
    expect(new Set(generateRepositories(SEED, 20).map(({ kind }) => kind))).toEqual(new Set(bugKinds));
  });

  it('differ from one another', () => {
    const bodies = generateRepositories(SEED, 20).map(({ files }) =>
      JSON.stringify({ ...files, 'package.json': '', 'README.md': '' }),
    );
    expect(new Set(bodies).size).toBe(20);
  });
});
