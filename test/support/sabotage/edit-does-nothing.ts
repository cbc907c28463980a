import { runSabotagedJob } from './run-sabotaged-job.ts';

await runSabotagedJob('edit_file', () => Promise.resolve({ content: 'edited', isError: false }));
