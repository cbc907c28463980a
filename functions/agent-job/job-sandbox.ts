import { createPlainSandbox } from '../../shared/adapters/local/plain-sandbox.ts';
import { chooseSandbox } from '../../shared/adapters/local/choose-sandbox.ts';
import type { ModelProvider } from '../../shared/ports/model.ts';
import { PenstockError } from '../../shared/ports/penstock-error.ts';
import type { Sandbox } from '../../shared/ports/sandbox.ts';
import type { JobConfig } from '../../shared/runtime/job-config.ts';

export interface JobSandbox {
  sandbox: Sandbox;
  reason: string;
  /** Without confinement, code that a live model wrote is not run at all: no shell, no tests, no checks. */
  mayRunCode: boolean;
}

/** How this job confines what it runs. Throws `config` when bubblewrap is asked for and does not work. */
export async function openSandbox(config: JobConfig, provider: ModelProvider): Promise<JobSandbox> {
  const chosen =
    config.sandbox === 'none'
      ? { sandbox: createPlainSandbox(), reason: 'none: PENSTOCK_SANDBOX says so' }
      : await chooseSandbox();
  if (config.sandbox === 'bubblewrap' && chosen.sandbox.kind !== 'bubblewrap') {
    throw new PenstockError('config', `PENSTOCK_SANDBOX is bubblewrap, but it is ${chosen.reason}`);
  }
  const isScripted = provider === 'script';
  return { ...chosen, mayRunCode: chosen.sandbox.kind !== 'none' || isScripted || config.isUnsafeAllowed };
}
