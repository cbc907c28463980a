/** One small fault in the source, and the test file that has to notice it. */
export interface Mutant {
  name: string;
  file: string;
  /** Stands exactly once in the file. */
  search: string;
  replace: string;
  test: string;
}

const PROPERTIES = 'test/shared/core/engine-properties.test.ts';

export const mutants: readonly Mutant[] = [
  {
    name: 'a ticket for every execution',
    file: 'shared/core/jobs/give-ticket.ts',
    search: 'attempt.execution !== undefined && attempt.execution !== execution',
    replace: 'false',
    test: 'test/workflows/agent-job.test.ts',
  },
  {
    name: 'the job of a lost attempt works on',
    file: 'shared/core/take-back.ts',
    search: "  if (hasJob && told?.state !== 'ended') await endJob(ports, provider, job);\n",
    replace: '',
    test: 'test/shared/core/sweep.test.ts',
  },
  {
    name: 'a body that cannot be read is answered with a page',
    file: 'shared/runtime/register.ts',
    search: '  answerUnreadBodies();\n',
    replace: '',
    test: 'test/runtime/register.test.ts',
  },
  {
    name: 'what nobody awaits leaves half a process',
    file: 'shared/runtime/register.ts',
    search: '    leaveDomain();\n    return (await handle())(event);\n',
    replace: '    return (await handle())(event);\n',
    test: 'test/runtime/uncaught-error.test.ts',
  },
  {
    name: 'CI that is under way lets the run finish',
    file: 'shared/core/integration/judge-ci.ts',
    search: "  if (evidence.state === 'pending') return pendingVerdict(run, reading, policy.ciDeadlineMs);\n",
    replace: '',
    test: 'test/shared/core/integration/judge-ci.test.ts',
  },
  {
    name: 'no compare-and-set',
    file: 'shared/core/change.ts',
    search: "{ op: 'set', ref, data: next.data, ifVersion: current.version }",
    replace: "{ op: 'set', ref, data: next.data }",
    test: PROPERTIES,
  },
  {
    name: 'generation ignored',
    file: 'shared/core/claim-task.ts',
    search: 'const next = (attempt?.generation ?? 0) + 1 === generation;',
    replace: 'const next = true;',
    test: 'test/shared/core/claim-task.test.ts',
  },
  {
    name: 'claim ignored',
    file: 'shared/core/fence.ts',
    search: 'attempt.claimHash === hashSecret(fence.claimId);\n  return holds',
    replace: "attempt.claimHash !== '';\n  return holds",
    test: 'test/shared/core/finish-attempt.test.ts',
  },
  {
    name: 'publish before commit',
    file: 'shared/core/finish-attempt.ts',
    search: '  const { data: task, changed } = await change(ports.store, ref, decide, current);',
    replace:
      '  await announceEnd(ports, current.data, generation);\n  const { data: task, changed } = await change(ports.store, ref, decide, current);',
    test: 'test/shared/core/finish-attempt.test.ts',
  },
  {
    name: 'look before commit',
    file: 'shared/core/admission.ts',
    search: "  return again === 'full' ? undefined : again.claim;",
    replace: '  return undefined;',
    test: 'test/shared/core/admission.test.ts',
  },
  {
    name: 'ledger off',
    file: 'shared/core/intake/receive-webhook.ts',
    search: 'return ledgerIds(webhook).map((id) => ({',
    replace: 'return ledgerIds(webhook).slice(2).map((id) => ({',
    test: 'test/functions/webhooks/webhooks.test.ts',
  },
  {
    name: 'reserve after the call',
    file: 'shared/core/metered-model.ts',
    search: '  await reserve(ports, fence, { microUsd, model: request.model });\n',
    replace:
      '  setTimeout(() => void reserve(ports, fence, { microUsd, model: request.model }).catch(() => undefined), 0);\n',
    test: 'test/shared/core/meter.test.ts',
  },
  {
    name: 'signature always valid',
    file: 'functions/webhooks/webhooks.ts',
    search: 'if (valid) return;',
    replace: 'if (valid || true) return;',
    test: 'test/functions/webhooks/webhooks.test.ts',
  },
  {
    name: 'no real-path check',
    file: 'shared/adapters/tools/path-guard.ts',
    search: 'const real = await realpath(join(checkout, path)).catch(() => undefined);',
    replace: 'const real = join(checkout, path) as string | undefined;',
    test: 'test/shared/adapters/tools/workspace-tools.test.ts',
  },
  {
    name: 'comment without look-up',
    file: 'shared/core/perform-effect.ts',
    search: '(await look()) ?? (await act().catch((error: unknown) => foundAfter(error, look)))',
    replace: 'await act()',
    test: 'test/shared/core/perform-effect.test.ts',
  },
  {
    name: 'terminal entry twice',
    file: 'shared/core/settle-run.ts',
    search: '    return { data: ended };\n',
    replace: '    return { data: { ...ended, history: [...ended.history, ...ended.history.slice(-1)] } };\n',
    test: PROPERTIES,
  },
  {
    name: 'user error retried',
    file: 'shared/core/failure.ts',
    search: "if (cls === 'user') return { step: 'end' };",
    replace: "if (cls === 'user') return { step: 'retry' };",
    test: 'test/shared/core/failure.test.ts',
  },
  {
    name: 'pull request ready without review',
    file: 'shared/core/integration/decide-integration.ts',
    search: "if (rejected.length === 0) return { step: 'finish' };",
    replace: "if (rejected.length >= 0) return { step: 'finish' };",
    test: 'test/shared/core/integration/decide-integration.test.ts',
  },
  {
    name: 'cancel that does not reach the job',
    file: 'shared/core/cancel-run.ts',
    search: 'await ports.jobs.cancel({',
    replace: 'void ({',
    test: 'test/shared/core/cancel-run.test.ts',
  },
  {
    name: 'sweep blind to leases',
    file: 'shared/core/sweep.ts',
    search: "{ field: 'leaseUntil', op: '<', value: now },",
    replace: "{ field: 'leaseUntil', op: '<', value: 0 },",
    test: 'test/shared/core/sweep.test.ts',
  },
  {
    name: 'duplicate that does not follow through',
    file: 'shared/core/execute-task.ts',
    search: "    case 'ended':\n      return announceEnd(ports, found.data, hint.generation);",
    replace: "    case 'ended':\n      return;",
    test: 'test/functions/agent-execution/agent-execution.test.ts',
  },
  {
    name: 'sole dependant left to the sweep',
    file: 'shared/core/release-dependants.ts',
    search: 'task.settled ? releaseSole(ports, task) : undefined,',
    replace: '',
    test: 'test/shared/core/follow-task.test.ts',
  },
  {
    name: 'lost optional task that releases nobody',
    file: 'shared/core/follow-task.ts',
    search: 'if (each !== task || !isAnnounced) await releaseSole(ports, each);',
    replace: 'if (each !== task) await releaseSole(ports, each);',
    test: 'test/shared/core/follow-task.test.ts',
  },
  {
    name: 'script matching ignored',
    file: 'shared/adapters/script/match-turn.ts',
    search: 'if (lack === undefined) return { turn };',
    replace: 'return { turn };',
    test: 'test/shared/adapters/script/script-server.test.ts',
  },
  {
    name: 'join that fires early',
    file: 'shared/core/release-dependants.ts',
    search: 'return unsettled === 0;',
    replace: 'return unsettled <= 1;',
    test: PROPERTIES,
  },
  {
    name: 'pool without a limit',
    file: 'shared/core/admission.ts',
    search: 'if (running + claiming >= max) return false;',
    replace: '',
    test: 'test/shared/core/admission.test.ts',
  },
  {
    name: 'room that nobody is offered',
    file: 'shared/core/follow-task.ts',
    search: 'admitNext(ports, task),',
    replace: '',
    test: 'test/shared/core/admission.test.ts',
  },
  {
    name: 'spend past the allotment',
    file: 'shared/core/meter.ts',
    search: 'if (call.microUsd > left) throw overBudget(fence, call.microUsd, left);',
    replace: '',
    test: PROPERTIES,
  },
  {
    name: 'held task claimed',
    file: 'shared/core/claim-task.ts',
    search: 'waiting && next && !task.held &&',
    replace: 'waiting && next &&',
    test: 'test/shared/core/pause-run.test.ts',
  },
  {
    name: 'acknowledged before it is handled',
    file: 'shared/adapters/local/sqlite-queue.ts',
    search: '    const failure = await handOver(delivering, receiver, delivery);',
    replace: '    void handOver(delivering, receiver, delivery);\n    const failure = undefined;',
    test: 'test/shared/adapters/local/sqlite-queue.test.ts',
  },
  {
    name: 'claim without looking again',
    file: 'shared/core/claim-task.ts',
    search:
      "    if (decideDispatch(current, hint.generation, now) !== 'claim') return undefined;\n    const task = { ...current, agent: agent ?? current.agent };\n    const attempt = newAttempt(ports, task, { generation: hint.generation, hardLimitAt: now + limitMs });",
    replace:
      '    const task = { ...current, agent: agent ?? current.agent };\n    const attempt = newAttempt(ports, task, { generation: hint.generation, hardLimitAt: now + limitMs });',
    test: PROPERTIES,
  },
  {
    name: 'sweep that takes back what was renewed',
    file: 'shared/core/sweep.ts',
    search: '(current) => current.leaseUntil < now',
    replace: '() => true',
    test: PROPERTIES,
  },
  {
    name: 'lost dispatch not asked for again',
    file: 'shared/core/sweep.ts',
    search:
      '    if (waits && !task.held && task.notBefore <= now && !waitedFor.has(task.id))\n      await dispatchTask(ports, task);\n',
    replace: '',
    test: PROPERTIES,
  },
  {
    name: 'lost reservation not charged',
    file: 'shared/core/ended-attempt.ts',
    search: 'spentMicroUsd: spentMicroUsd + reservedMicroUsd };',
    replace: 'spentMicroUsd };',
    test: PROPERTIES,
  },
  {
    name: 'history not appended',
    file: 'shared/core/claim-task.ts',
    search: '  return { ...task, state, attempts, leaseUntil, notBefore: 0, updatedAt: at, history };',
    replace: '  return { ...task, state, attempts, leaseUntil, notBefore: 0, updatedAt: at };',
    test: PROPERTIES,
  },
  {
    name: 'claims under way not counted',
    file: 'shared/core/admission.ts',
    search: '  if (running + claiming >= max) return false;',
    replace: '  if (running >= max) return false;',
    test: PROPERTIES,
  },
  {
    name: 'only the next task skipped',
    file: 'shared/core/follow-task.ts',
    search: '      ended.set(id, data);\n',
    replace: '',
    test: PROPERTIES,
  },
  {
    name: 'unanswered call of a job free',
    file: 'shared/core/pass-through.ts',
    search: 'settleWith(undefined, error instanceof PenstockError && error.mayHaveCounted),',
    replace: 'settleWith(undefined, error === undefined),',
    test: 'test/shared/core/pass-through.test.ts',
  },
];
