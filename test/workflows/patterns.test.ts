import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { flagsOf, SPECIALISTS } from '../../shared/core/plan/flags-of.ts';
import { validatePlan } from '../../shared/core/plan/validate-plan.ts';
import { planProposal } from '../../shared/messages/plan.ts';
import { POLICY, shippedAgents } from '../support/engine.ts';
import { type StagesStandIn, startStages } from './stages-stand-in.ts';

const folder = new URL('../../workflows/', import.meta.url);
const shipped = await shippedAgents();

/** What the platform makes of the plan that a workflow gives. */
const judge = ({ plan = [] }: StagesStandIn, agents = shipped) =>
  validatePlan(planProposal.parse({ tasks: plan }), agents, POLICY);

/** The plan that a workflow gives, which the platform takes as it is, with what each agent waits for. */
async function played(name: string, flags: Record<string, boolean> = {}): Promise<StagesStandIn> {
  const stand = startStages(name);
  const id = await stand.start(flags);
  expect(await stand.result(id)).toMatchObject({ run: 'abcd1234', stage: 'succeeded', reason: null });
  expect(stand.asked.map(({ stage }) => stage)).toEqual(['close']);
  if (stand.plan !== undefined) expect(judge(stand)).toEqual({ ok: true, tasks: stand.plan });
  return stand;
}
const edges = ({ plan = [] }: StagesStandIn) => plan.map(({ agent, dependencies }) => [agent, dependencies]);
const instructions = ({ plan = [] }: StagesStandIn) => plan.map((task) => task.instructions);

describe('workflows/sequential.yaml', () => {
  it('has its six agents in their order, each with its named input (003-71)', async () => {
    const stand = await played('sequential');
    expect(edges(stand)).toEqual([
      ['project_architect', []],
      ['technical_writer', ['project-architect']],
      ['backend_developer', ['technical-writer']],
      ['frontend_developer', ['backend-developer']],
      ['qa_testing', ['backend-developer', 'frontend-developer']],
      ['devops_deployment', ['qa-testing']],
    ]);
    const inputs = [
      '',
      'architecture_output',
      'requirements_doc',
      'api_specification',
      'backend_output and frontend_output',
      'tested_application',
    ];
    for (const [index, text] of instructions(stand).entries())
      expect(text).toMatch(index === 0 ? /^Design/ : new RegExp(`^Input: ${inputs[index] ?? ''},`));
  });
});

describe('workflows/parallel.yaml', () => {
  it('has a phase of development with a shared context, and one of validation after all of it (003-72)', async () => {
    const stand = await played('parallel');
    const development = ['backend-developer', 'frontend-developer', 'database-admin'];
    expect(edges(stand)).toEqual([
      ['backend_developer', []],
      ['frontend_developer', []],
      ['database_admin', []],
      ['qa_testing', development],
      ['security_specialist', development],
    ]);
    for (const text of instructions(stand).slice(0, 3))
      expect(text).toMatch(/^Phase development\. Shared context: technical_specification/);
  });
});

describe('workflows/conditional.yaml', () => {
  it.each([
    [{ has_ai_features: true }, ['ai_ml_specialist']],
    [{ needs_mobile: true }, ['mobile_developer']],
    [{ enterprise_deployment: true, needs_mobile: false }, ['cloud_architect', 'monitoring_specialist']],
    [
      { has_ai_features: true, needs_mobile: true, enterprise_deployment: true },
      ['ai_ml_specialist', 'mobile_developer', 'cloud_architect', 'monitoring_specialist'],
    ],
  ])('with %j takes %j (003-73)', async (flags, agents) => {
    expect(edges(await played('conditional', flags))).toEqual(agents.map((agent) => [agent, []]));
  });

  it('without any flag leaves the plan to the platform, and says what that is flagged with', async () => {
    const stand = startStages('conditional');
    stand.view = { ...stand.view, flags: flagsOf([{ agent: 'mobile_developer' }]) };
    const flags = { has_ai_features: false, needs_mobile: true, enterprise_deployment: false };
    expect(await stand.result(await stand.start())).toMatchObject({ stage: 'succeeded', flags });
    expect(stand.plan).toBeUndefined();
  });

  it('has for each flag the specialists by whom a plan is known to have it', async () => {
    for (const [flag, specialists] of Object.entries(SPECIALISTS)) {
      const stand = await played('conditional', { [flag]: true });
      expect(edges(stand).map(([agent]) => agent)).toEqual(specialists);
      expect(flagsOf((stand.plan ?? []).map(({ agent = '' }) => ({ agent })))).toMatchObject({
        [flag]: true,
      });
    }
  });
});

describe('a plan of a workflow', () => {
  it.each([
    ['sequential', 'devops_deployment'],
    ['parallel', 'security_specialist'],
    ['conditional', 'mobile_developer'],
  ])('of %s is refused where there is no %s', async (name, missing) => {
    const stand = await played(name, { needs_mobile: true });
    const without = new Map([...shipped].filter(([agent]) => agent !== missing));
    expect(judge(stand, without)).toEqual({
      ok: false,
      reasons: [expect.stringContaining(`names the unknown agent ${missing}; known are`)],
    });
  });
});

describe.each(['sequential', 'parallel', 'conditional'])('workflows/%s.yaml', (name) => {
  it('ends with a run whose plan is refused', async () => {
    const stand = startStages(name);
    stand.view = { ...stand.view, stage: 'failed', ended: true, reason: 'invalid_plan' };
    const id = await stand.start({ needs_mobile: true });
    expect(await stand.result(id)).toMatchObject({ stage: 'failed', reason: 'invalid_plan' });
    expect(stand.asked).toEqual([]);
  });

  it('leaves the run to the execution that has it', async () => {
    const stand = startStages(name);
    stand.onAsk = () => undefined;
    const first = await stand.start();
    await stand.settled(first);
    expect(await stand.result(await stand.start())).toMatchObject({ stage: 'refused' });
  });
});

describe('every workflow', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  const texts = files.map((file) => [file, readFileSync(new URL(file, folder), 'utf8')] as const);

  it('says at its head what it is for, what it takes and what it gives', () => {
    for (const [file, text] of texts) {
      const head = text.slice(0, text.indexOf('\nmain:'));
      expect(head).toMatch(new RegExp(`^# ${file.replace('.yaml', '')}: `));
      for (const part of ['# Input  ', '# Output  ', '# Environment  ']) expect(head).toContain(part);
    }
  });

  it('names no project, region or URL of its own, and asks with an identity and again', () => {
    for (const [, text] of texts) {
      expect(text).not.toMatch(/https?:\/\/|googleapis\.com|projects\/|europe-|us-central/);
      const calls = text.split(/call: http\./).length - 1;
      expect(text.split('type: OIDC').length - 1).toBe(calls);
      expect(text.split('retry:').length - 1).toBe(calls);
    }
  });

  it('has the same way of asking as every other one: Workflows has no imports', () => {
    const routines = texts.flatMap(([file, text]) =>
      text
        .split(/\n(?=\w+:\n)/)
        .filter((part) => /^(claim_run|give_plan|go_through|read_run):/.test(part))
        .map((part) => ({ file, name: part.split(':')[0] ?? '', part: part.replace(/\n#.*$/s, '').trim() })),
    );
    const versions = new Map<string, Set<string>>();
    for (const { name, part } of routines) versions.set(name, (versions.get(name) ?? new Set()).add(part));
    expect([...versions].map(([name, parts]) => [name, parts.size])).toEqual([
      ['claim_run', 1],
      ['give_plan', 1],
      ['go_through', 1],
      ['read_run', 1],
    ]);
  });
});
