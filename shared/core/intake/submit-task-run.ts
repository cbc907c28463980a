import { normalisePriority } from '../../messages/requirement-body.ts';
import type { TaskRunBody } from '../../messages/task-run.ts';
import type { Caller } from '../../ports/identity.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import { refs } from '../refs.ts';
import { DIRECT, type Run } from '../run.ts';
import { submitRun, type SubmitPorts } from '../submit-run.ts';
import { resolveRepository } from './resolve-repository.ts';
import { MAX_STORED_TEXT_BYTES, sanitiseText, storedBytes } from './sanitise-text.ts';

const MAX_INSTRUCTIONS = 20_000;

/** A ready task (002-38): no decomposition. The same `{service}-{taskId}` and attempt again is the existing one. */
export async function submitTaskRun(
  ports: SubmitPorts,
  caller: Caller,
  body: TaskRunBody,
): Promise<{ run: Run; duplicate: boolean }> {
  const name = `${body.serviceName}-${body.taskId}`;
  const target = await resolveRepository(ports, caller.tenant, body.repository);
  const agent = body.agent ?? (target === undefined ? 'project_architect' : 'backend_developer');
  const files = body.markdownFiles.map((file) => ({ ...file, content: sanitiseText(file.content) }));
  const text = files.map(({ filename, content }) => `# ${filename}\n\n${content}`).join('\n\n');
  if (text.length > MAX_INSTRUCTIONS) {
    throw new PenstockError(
      'too_large',
      `the files of ${name} have ${text.length} characters; ${MAX_INSTRUCTIONS} are allowed`,
    );
  }
  if (storedBytes([text, files]) > MAX_STORED_TEXT_BYTES) {
    throw new PenstockError(
      'too_large',
      `the files of ${name} take ${storedBytes([text, files])} bytes; ${MAX_STORED_TEXT_BYTES} are allowed`,
    );
  }
  const { taskId, serviceName, retryAttempt } = body;
  // Not the run that was deleted: its branch may still be there.
  const gone = await ports.store.get(refs.deletedTaskRun(caller.tenant, name));
  const again = gone === undefined ? '' : `/${gone.data.deletions}`;
  return submitRun(
    ports,
    {
      tenant: caller.tenant,
      title: name,
      requirement: text,
      ...(target === undefined ? {} : { target }),
      origin: { kind: 'pm', actor: caller.actor },
      driver: DIRECT,
      priority: normalisePriority(body.priority),
      ...(body.budgetUsd === undefined ? {} : { budgetMicroUsd: Math.round(body.budgetUsd * 1e6) }),
      dryRun: false,
      plan: {
        tasks: [
          {
            id: `task-${taskId}`,
            agent,
            title: name,
            instructions: text,
            dependencies: [],
            acceptance: [],
            scope: [],
            optional: false,
          },
        ],
      },
      taskRun: { name, taskId, serviceName, retryAttempt, files },
    },
    {
      // The name is the identity: a repeat with other files is still the existing TaskRun (002-89).
      idempotency: { key: `task-run/${name}/${retryAttempt}${again}`, body: name },
      also: (run) => [
        { op: 'set', ref: refs.taskRun(caller.tenant, name), data: { v: 1, name, run: run.id } },
      ],
    },
  );
}
