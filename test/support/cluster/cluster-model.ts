import { loadScript } from '../../../shared/adapters/script/script-file.ts';
import { startScriptServer } from '../../../shared/adapters/script/script-server.ts';
import { startRuleModel } from '../rule-model.ts';

export interface ClusterModel {
  /** One sentence for people. */
  says: string;
  /** Variables by which the functions reach it. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/** Who answers for the model: the functions know the Anthropic API only, and what stands in for it speaks that. */
export async function openClusterModel(name: string, apiKey: string | undefined): Promise<ClusterModel> {
  if (name === 'anthropic') {
    const says =
      apiKey === undefined
        ? 'none: set ANTHROPIC_API_KEY, or take --model script:FILE or --model rule; runs that need a model fail'
        : 'Claude, with your key';
    return { says, environment: {}, stop: () => Promise.resolve() };
  }
  const file = /^script:(.+)$/.exec(name)?.[1];
  if (file === undefined && name !== 'rule')
    throw new Error(`--model got '${name}' and takes anthropic, script:FILE or rule`);
  const server =
    file === undefined ? await startRuleModel() : await startScriptServer({ script: await loadScript(file) });
  return {
    says: file === undefined ? 'by rule: no AI is called' : 'scripted: no AI is called, tokens are simulated',
    environment: {
      ANTHROPIC_BASE_URL: server.url,
      ANTHROPIC_API_KEY: 'no-key-is-needed',
      // Its commands stand in a file of this machine's owner.
      PENSTOCK_UNSAFE_NO_SANDBOX: '1',
    },
    stop: server.stop,
  };
}
