import type { ApiKey } from '../adapters/anthropic/api-key.ts';
import type { Log } from '../ports/log.ts';
import type { Model } from '../ports/model.ts';
import type { CommonConfig } from './config.ts';
import { lazily } from './lazily.ts';

/** Who answers for the model. */
export interface ModelAccess {
  provider: 'anthropic' | 'script';
  baseUrl: string;
  apiKey: ApiKey;
  /** Every call of the platform and of its jobs goes through it. @default globalThis.fetch */
  fetch?: typeof globalThis.fetch;
}

/** Stands where a key should; the provider refuses it, and the refusal names the variable. */
const NO_KEY = 'no-key';

type ModelConfig = Pick<CommonConfig, 'ANTHROPIC_API_KEY' | 'ANTHROPIC_BASE_URL'>;

/** Live Claude through the key of the environment; `current` says which one holds now, where it may be rotated meanwhile. */
export function modelAccess(
  config: ModelConfig,
  current?: () => Promise<Pick<ModelConfig, 'ANTHROPIC_API_KEY'>>,
): ModelAccess {
  const keyOf = ({ ANTHROPIC_API_KEY: key }: Pick<ModelConfig, 'ANTHROPIC_API_KEY'>): string => key ?? NO_KEY;
  return {
    provider: 'anthropic',
    baseUrl: config.ANTHROPIC_BASE_URL,
    apiKey: current === undefined ? keyOf(config) : async () => keyOf(await current()),
  };
}

/** The model behind an access; its library is read with the first call. */
export function openModel(access: ModelAccess, log: Log): Model {
  const load = async (): Promise<Model> => {
    const { createAnthropicModel } = await import('../adapters/anthropic/anthropic-model.ts');
    return createAnthropicModel({ ...access, log });
  };
  return { provider: access.provider, ...lazily(load, ['answer', 'countTokens']) };
}
