import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadAgents, loadPrompts } from '../../../../shared/adapters/local/agent-files.ts';

const shipped = fileURLToPath(new URL('../../../../shared/agents', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'penstock-agents-'));
  await cp(shipped, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('agent files', () => {
  it('ships the agents of this version with their categories (003-18, 003-19, 003-21, 003-24)', async () => {
    const agents = await loadAgents(folder);
    expect(agents.map(({ name, category, lane, result }) => [name, category, lane, result])).toEqual([
      ['backend_developer', 'specialist', 'job', 'change_set'],
      ['code_reviewer', 'assessment', 'function', 'review'],
      ['integrator', 'platform', 'job', 'change_set'],
      ['project_architect', 'core', 'function', 'text'],
      ['qa_testing', 'specialist', 'job', 'change_set'],
      ['technical_writer', 'core', 'job', 'change_set'],
    ]);
  });

  it('gives each agent its permissions: only the integrator has GitHub (003-85, 003-86, 003-87)', async () => {
    const agents = await loadAgents(folder);
    const agent = (name: string) => agents.find((one) => one.name === name);
    expect(
      agents.filter(({ mcp_servers }) => mcp_servers.includes('github')).map(({ name }) => name),
    ).toEqual(['integrator']);
    expect(agent('project_architect')).toMatchObject({ mcp_servers: ['filesystem'], operations: ['read'] });
    expect(agent('project_architect')?.paths).toContain('docs/**');
    expect(agent('backend_developer')).toMatchObject({ mcp_servers: ['filesystem', 'database', 'docker'] });
    expect(agent('backend_developer')?.operations).toEqual(expect.arrayContaining(['read', 'write']));
    expect(agent('backend_developer')?.paths).toEqual(expect.arrayContaining(['src/**', 'tests/**']));
  });

  it('gives nobody a tool that its operations do not cover', async () => {
    const needs = {
      write_file: 'write',
      edit_file: 'write',
      shell: 'execute',
      run_tests: 'execute',
    } as const;
    for (const agent of await loadAgents(folder)) {
      for (const tool of agent.tools) {
        const operation = (needs as Partial<Record<string, 'write' | 'execute'>>)[tool] ?? 'read';
        expect({ agent: agent.name, tool, operations: agent.operations }).toMatchObject({
          operations: expect.arrayContaining([operation]),
        });
      }
    }
  });

  it('adds an agent by a new file alone', async () => {
    const text = await readFile(join(folder, 'qa_testing.md'), 'utf8');
    await writeFile(join(folder, 'load_testing.md'), text.replace('name: qa_testing', 'name: load_testing'));
    expect((await loadAgents(folder)).map(({ name }) => name)).toContain('load_testing');
  });

  it('reports every reason of every file as file, line and reason', async () => {
    await writeFile(join(folder, 'qa_testing.md'), 'nothing');
    const text = await readFile(join(folder, 'technical_writer.md'), 'utf8');
    await writeFile(
      join(folder, 'technical_writer.md'),
      text.replace('tier: balanced', 'tier: huge').replace('lane: job', 'lane: x'),
    );
    await expect(loadAgents(folder)).rejects.toMatchObject({
      code: 'config',
      reasons: [
        expect.stringMatching(/^qa_testing\.md:1: /),
        expect.stringMatching(/^technical_writer\.md:8: lane/),
        expect.stringMatching(/^technical_writer\.md:10: tier/),
      ],
    });
  });

  it('names every prompt that is missing', async () => {
    await expect(loadPrompts(folder)).rejects.toThrow(/system\.md, .*checks-red\.md missing/);
  });
});
