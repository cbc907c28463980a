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
  it('ships two core agents, fifteen specialists and three that assess (003-18..24)', async () => {
    const agents = await loadAgents(folder);
    expect(agents.map(({ name, category, lane, result }) => [name, category, lane, result])).toEqual([
      ['ai_ml_specialist', 'specialist', 'job', 'change_set'],
      ['api_designer', 'specialist', 'job', 'change_set'],
      ['architecture_validator', 'assessment', 'function', 'review'],
      ['backend_developer', 'specialist', 'job', 'change_set'],
      ['cloud_architect', 'specialist', 'job', 'change_set'],
      ['code_reviewer', 'assessment', 'function', 'review'],
      ['compliance_auditor', 'assessment', 'function', 'review'],
      ['data_engineer', 'specialist', 'job', 'change_set'],
      ['database_admin', 'specialist', 'job', 'change_set'],
      ['devops_deployment', 'specialist', 'job', 'change_set'],
      ['frontend_developer', 'specialist', 'job', 'change_set'],
      ['full_stack_engineer', 'specialist', 'job', 'change_set'],
      ['integrator', 'platform', 'job', 'change_set'],
      ['mobile_developer', 'specialist', 'job', 'change_set'],
      ['model_strategy_specialist', 'specialist', 'function', 'text'],
      ['monitoring_specialist', 'specialist', 'job', 'change_set'],
      ['performance_optimizer', 'specialist', 'job', 'change_set'],
      ['project_architect', 'core', 'function', 'text'],
      ['qa_testing', 'specialist', 'job', 'change_set'],
      ['security_specialist', 'specialist', 'job', 'change_set'],
      ['technical_writer', 'core', 'job', 'change_set'],
    ]);
  });

  it('tells in its README each agent with its category and lane', async () => {
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    const rows = [
      ...readme.matchAll(/^\| `(\w+)` +\| (core|specialist|assessment|platform) +\| (\w+) +\|/gm),
    ];
    const agents = await loadAgents(folder);
    expect(rows.map(([, ...row]) => row.join(' ')).toSorted()).toEqual(
      agents.map(({ name, category, lane }) => `${name} ${category} ${lane}`).toSorted(),
    );
  });

  it('gives work in a workspace to jobs alone, and lets none that judges or advises change a file', async () => {
    for (const { name, lane, result, operations } of await loadAgents(folder)) {
      const isChange = result === 'change_set';
      expect([name, lane, operations.includes('write')]).toEqual([
        name,
        isChange ? 'job' : 'function',
        isChange,
      ]);
    }
  });

  it('has agents of every provider profile (004-24..28)', async () => {
    const types = (await loadAgents(folder)).map(({ type }) => type);
    expect([...new Set(types)].toSorted()).toEqual([
      'analyst',
      'implementer',
      'integrator',
      'reasoner',
      'validator',
    ]);
  });

  it('tells every agent that a change of protected files is decided by a person, where its field is full of them', async () => {
    const agents = await loadAgents(folder);
    const field = ['cloud_architect', 'devops_deployment', 'monitoring_specialist', 'security_specialist'];
    const told = agents.filter(({ sections }) =>
      Object.values(sections).some(
        (text) => text.includes('.github/**') && /person('s decision| before)/.test(text),
      ),
    );
    expect(told.map(({ name }) => name)).toEqual(field);
  });

  it('gives two agents the same capability only where one can stand in for the other', async () => {
    const agents = (await loadAgents(folder)).filter(({ category }) => category !== 'platform');
    const byCapability = Map.groupBy(
      agents.flatMap((agent) => agent.capabilities.map((capability) => ({ capability, agent }))),
      ({ capability }) => capability.toLowerCase(),
    );
    const shared = [...byCapability].filter(([, holders]) => holders.length > 1);
    expect(
      shared.map(([capability, holders]) => [capability, holders.map(({ agent }) => agent.name)]),
    ).toEqual([
      ['backend development', ['backend_developer', 'full_stack_engineer']],
      ['refactoring', ['backend_developer', 'full_stack_engineer']],
      ['bug fixing', ['backend_developer', 'full_stack_engineer']],
      ['frontend development', ['frontend_developer', 'full_stack_engineer']],
    ]);
    for (const [, holders] of shared)
      expect(
        new Set(holders.map(({ agent: { category, lane, result } }) => category + lane + result)).size,
      ).toBe(1);
  });

  it('gives the specialist for learnt models the large machine (003-103)', async () => {
    const large = (await loadAgents(folder)).filter(({ resources }) => resources.tier === 'high');
    expect(large.map(({ name }) => name)).toEqual(['ai_ml_specialist', 'project_architect']);
  });

  it('gives each agent its permissions (003-85..88)', async () => {
    const agents = await loadAgents(folder);
    const agent = (name: string) => agents.find((one) => one.name === name);
    expect(
      agents.filter(({ mcp_servers }) => mcp_servers.includes('github')).map(({ name }) => name),
    ).toEqual(['devops_deployment', 'integrator']);
    expect(agent('project_architect')).toMatchObject({ mcp_servers: ['filesystem'], operations: ['read'] });
    expect(agent('project_architect')?.paths).toContain('docs/**');
    expect(agent('backend_developer')).toMatchObject({ mcp_servers: ['filesystem', 'database', 'docker'] });
    expect(agent('backend_developer')?.operations).toEqual(expect.arrayContaining(['read', 'write']));
    expect(agent('backend_developer')?.paths).toEqual(expect.arrayContaining(['src/**', 'tests/**']));
    expect(agent('devops_deployment')).toMatchObject({
      mcp_servers: ['docker', 'github', 'monitoring'],
      operations: ['read', 'write', 'execute'],
      paths: ['**'],
    });
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
