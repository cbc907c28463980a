import { runSabotagedJob } from './run-sabotaged-job.ts';

const content = '`npm test` passed (12 passed)\nℹ tests 12\nℹ pass 12\nℹ fail 0';
await runSabotagedJob('run_tests', () => Promise.resolve({ content, isError: false, summary: '12 passed' }));
