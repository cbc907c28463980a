import { normalisePriority, type RequirementBody } from '../../messages/requirement-body.ts';
import type { Caller } from '../../ports/identity.ts';
import { PenstockError } from '../../ports/penstock-error.ts';
import type { Run } from '../run.ts';
import { submitRun, type SubmitPorts } from '../submit-run.ts';
import { resolveRepository } from './resolve-repository.ts';
import { cutText, MAX_STORED_TEXT_BYTES, sanitiseText, storedBytes } from './sanitise-text.ts';

const KEY = /^[\x21-\x7E]{1,200}$/;
const MAX_TITLE = 100;

/** A requirement of somebody who may ask. With the same key, the same body is the same run. */
export async function submitRequirement(
  ports: SubmitPorts,
  caller: Caller,
  body: RequirementBody,
  key: string | undefined,
): Promise<{ run: Run; duplicate: boolean }> {
  if (key !== undefined && !KEY.test(key)) {
    throw new PenstockError('invalid', 'an Idempotency-Key has 1 to 200 visible ASCII characters');
  }
  const requirement = sanitiseText(body.requirement);
  if (requirement === '') throw new PenstockError('invalid', 'the requirement has no visible text');
  if (storedBytes(requirement) > MAX_STORED_TEXT_BYTES) {
    throw new PenstockError(
      'too_large',
      `the requirement has ${storedBytes(requirement)} bytes; ${MAX_STORED_TEXT_BYTES} are allowed`,
    );
  }
  const target = await resolveRepository(ports, caller.tenant, body.repository);
  const submission = {
    tenant: caller.tenant,
    title: cutText(requirement.split('\n')[0] ?? '', MAX_TITLE),
    requirement,
    ...(target === undefined
      ? {}
      : { target: { ...target, ...(body.baseRef === undefined ? {} : { baseRef: body.baseRef }) } }),
    origin: { kind: 'api' as const, actor: caller.actor },
    ...(body.project === undefined ? {} : { project: body.project }),
    ...(body.driver === undefined ? {} : { driver: body.driver }),
    ...(body.flags === undefined ? {} : { flags: body.flags }),
    priority: normalisePriority(body.priority),
    ...(body.budgetUsd === undefined ? {} : { budgetMicroUsd: Math.round(body.budgetUsd * 1e6) }),
    dryRun: body.dryRun,
    ...(body.plan === undefined ? {} : { plan: body.plan }),
  };
  return submitRun(
    ports,
    submission,
    key === undefined ? {} : { idempotency: { key: `requirement/${key}`, body } },
  );
}
