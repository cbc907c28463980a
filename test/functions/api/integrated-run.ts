import type { Ports } from '../../../shared/core/ports.ts';
import type { Run } from '../../../shared/core/run.ts';
import type { TranscriptEntry } from '../../../shared/messages/transcript-line.ts';
import { createSampleRepository, type SampleRepository } from '../../support/sample-repository.ts';
import { type Files, plannedTask, readRun, startRun, work } from './drive-run.ts';

const base = {
  'package.json': '{"name":"todo","scripts":{"test":"node --test"}}\n',
  'src/api.js': 'export const a = 1;\nexport const b = 2;\nexport const c = 3;\n',
};
/** What the run leads to. */
export const integrated: Files = {
  'src/api.js': [
    base['src/api.js'],
    'export const a = 1;\nexport const b = "<b>two</b>";\nexport const c = 3;\n',
  ],
  'src/store.js': [null, 'export const store = [];\n'],
};

export const said: TranscriptEntry[] = [
  {
    kind: 'turn',
    model: 'script-1',
    turn: {
      role: 'assistant',
      blocks: [{ type: 'text', text: 'I look at <img src=x onerror=alert(1)> first.' }],
    },
  },
];

const check = {
  command: 'node --test',
  exitCode: 0,
  passed: true,
  summary: '18 passed',
  outputTail: '',
  durationMs: 9,
};
const review = {
  verdict: 'approve' as const,
  summary: 'Small and correct.',
  remarks: [{ path: 'src/api.js', text: 'Name <it> better.' }],
};

/** A run over a real repository, carried to its end by the core's own functions: two tasks, integration, review, branch. */
export async function integrateARun(
  ports: Ports,
  more: Parameters<typeof startRun>[1] = {},
): Promise<{ run: Run; repository: SampleRepository }> {
  const repository = createSampleRepository(base);
  const [api, store] = [
    plannedTask('api', 'backend_developer'),
    plannedTask('store', 'backend_developer', ['api']),
  ];
  const target = { host: 'local-git' as const, repository: repository.folder };
  const run = await startRun(ports, { target, plan: { tasks: [api, store] }, ...more });
  const only = (path: string): Files => ({ [path]: integrated[path] ?? [null, null] });
  await work(ports, run, 'api', { lines: said, spentMicroUsd: 41_000, files: only('src/api.js') });
  await work(ports, run, 'store', { lines: said, spentMicroUsd: 2_000, files: only('src/store.js') });
  const result = { outcome: 'succeeded' as const, summary: 'applied', checks: [check] };
  await work(ports, run, 'integrate-1', { files: integrated, result });
  await work(ports, run, 'review', {
    spentMicroUsd: 500,
    result: { outcome: 'succeeded', summary: review.summary, review },
  });
  return { run: await readRun(ports, run), repository };
}
