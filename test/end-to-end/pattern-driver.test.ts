import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inProcess, type Platform, startPlatform } from '../support/platform.ts';

const development = ['backend-developer', 'frontend-developer', 'database-admin'];
const patterns: [string, Record<string, boolean>, Record<string, string[]>][] = [
  [
    'sequential',
    {},
    {
      project_architect: [],
      technical_writer: ['project-architect'],
      backend_developer: ['technical-writer'],
      frontend_developer: ['backend-developer'],
      qa_testing: ['backend-developer', 'frontend-developer'],
      devops_deployment: ['qa-testing'],
    },
  ],
  [
    'parallel',
    {},
    {
      backend_developer: [],
      frontend_developer: [],
      database_admin: [],
      qa_testing: development,
      security_specialist: development,
    },
  ],
  [
    'conditional',
    { has_ai_features: true, needs_mobile: true, enterprise_deployment: true },
    { ai_ml_specialist: [], mobile_developer: [], cloud_architect: [], monitoring_specialist: [] },
  ],
];

inProcess(describe, 'the runner is for local mode')('a run that a pattern of named agents drives', () => {
  let platform: Platform;
  let worked: string[];
  beforeEach(async () => {
    worked = [];
    platform = await startPlatform({
      work: async (open) => {
        const { brief } = (await open()).attempt;
        worked.push(brief.agent);
        return { outcome: 'succeeded', summary: `${brief.agent} is done` };
      },
    });
  });
  afterEach(() => platform.stop());

  it.each(patterns)('%s with %j has its agents do their tasks (003-71..73)', async (driver, flags, plan) => {
    const submitted = await platform.post('/api/requirements', { requirement: 'Do it.', driver, flags });
    const run = String(submitted.body['runId']);
    expect(await platform.ended(run)).toMatchObject({ stage: 'succeeded', driver });
    const tasks = await platform.tasks(run);
    expect(Object.fromEntries(tasks.map(({ agent, dependencies }) => [agent, dependencies]))).toEqual(plan);
    expect(worked.toSorted()).toEqual(Object.keys(plan).toSorted());
  });
});
