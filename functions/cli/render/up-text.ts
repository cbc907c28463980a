import type { CliConfig } from '../../../shared/runtime/cli-config.ts';

export interface UpFacts {
  url: string;
  sandbox: string;
  model: 'anthropic' | 'script';
  dataFolder: string;
}

/** What a person needs to know of a platform that has just come up; the first line says how agents are confined. */
export function upText(
  up: UpFacts,
  { hasAnthropicKey, githubApp }: Pick<CliConfig, 'hasAnthropicKey' | 'githubApp'>,
): string[] {
  const live = hasAnthropicKey
    ? 'Claude, with your key'
    : 'none: set ANTHROPIC_API_KEY, or play a script with --model script:FILE; until then runs that need a model fail';
  const github =
    githubApp.missing.length === 0
      ? `webhooks at ${up.url}/webhooks/github`
      : `not set up: ${githubApp.missing.join(', ')} missing`;
  return [
    `Penstock · local mode · sandbox ${up.sandbox}`,
    `  pages and API  ${up.url}`,
    `  model          ${up.model === 'script' ? 'scripted: no AI is called, tokens and cost are simulated' : live}`,
    `  GitHub App     ${github}`,
    `  data           ${up.dataFolder}`,
    'Ctrl-C stops it; what is under way goes on at the next start.',
  ];
}
