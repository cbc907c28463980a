import { afterEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadScript, type Script } from '../../shared/adapters/script/script-file.ts';
import { type MessagesServer, startMessagesServer } from '../../shared/adapters/script/messages-server.ts';
import { startScriptServer } from '../../shared/adapters/script/script-server.ts';
import { readConversation } from '../../shared/adapters/script/conversation.ts';
import type { Ports } from '../../shared/core/ports.ts';
import type { Run } from '../../shared/core/run.ts';
import type { DocumentRef } from '../../shared/ports/store.ts';
import { sampleFiles } from '../functions/cli/demo-bench.ts';
import {
  inProcess,
  openLabelledIssue,
  patience,
  startGithubWith,
  startPlatform,
} from '../support/platform.ts';

const LIMIT_MS = patience(300_000);
const itHere = inProcess(it, 'a store that forgets');

const path = (name: string) => fileURLToPath(new URL(`../../functions/cli/demo/${name}`, import.meta.url));
const sabotage = (name: string) => fileURLToPath(new URL(`../support/sabotage/${name}.ts`, import.meta.url));
const script = await loadScript(path('script.yaml'));
const [heading = '', ...body] = readFileSync(path('issue.md'), 'utf8').split('\n');

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Scenario {
  model?: MessagesServer;
  files?: Record<string, string>;
  jobProgram?: string;
  decorate?: (ports: Ports) => Ports;
}

/** The demo's scenario as `npm start` plays it, with one thing broken. */
async function play({ model, files = sampleFiles(), jobProgram, decorate }: Scenario = {}) {
  const server = model ?? (await startScriptServer({ script }));
  cleanups.push(() => server.stop());
  const { github, repository, folder } = await startGithubWith(files);
  cleanups.push(
    () => github.stop(),
    () => rm(folder, { recursive: true, force: true }),
  );
  const platform = await startPlatform({
    github,
    model: { provider: 'script', baseUrl: server.url, apiKey: 'scripted' },
    ...(jobProgram === undefined ? {} : { jobProgram }),
    ...(decorate === undefined ? {} : { decorate }),
  });
  cleanups.push(() => platform.stop());
  github.setWebhookUrl(`${platform.url}/webhooks/github`);
  const { runId } = await openLabelledIssue(
    github,
    repository,
    heading.replace(/^#\s*/, ''),
    body.join('\n').trim(),
  );
  const run = await platform.ended(runId, patience(90_000));
  const ready = (await github.pullRequests(repository)).filter(({ draft }) => !draft);
  return { run, tasks: await platform.tasks(runId), ready };
}

function without(turnId: string): Script {
  const turns = script.turns.filter(({ id }) => id !== turnId);
  if (turns.length === script.turns.length) throw new Error(`the script has no turn ${turnId}`);
  return { ...script, turns };
}

describe("the demo's scenario", () => {
  it(
    'succeeds as it is, with a test that fails on the way',
    async () => {
      const { run, ready } = await play();
      expect(run.reason).toBeUndefined();
      expect(run.stage).toBe('succeeded');
      expect(ready).toHaveLength(1);
    },
    LIMIT_MS,
  );

  it(
    'fails when the edit tool does nothing',
    async () => {
      const { run, ready } = await play({ jobProgram: sabotage('edit-does-nothing') });
      expect(run.stage).toBe('failed');
      expect(ready).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'fails when run-tests always answers green',
    async () => {
      const { run, ready } = await play({ jobProgram: sabotage('tests-always-green') });
      expect(run.stage).toBe('failed');
      expect(ready).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'fails when the fixing turn is removed',
    async () => {
      const fixing = script.turns.find(
        ({ agent, when }) =>
          agent === 'backend_developer' && when.lastToolResultContains?.some((text) => /fail/i.test(text)),
      );
      const { run, ready } = await play({
        model: await startScriptServer({ script: without(fixing?.id ?? 'no fixing turn') }),
      });
      expect(run).toMatchObject({ stage: 'failed', reason: { message: expect.stringContaining('storage') } });
      expect(ready).toEqual([]);
    },
    LIMIT_MS,
  );

  itHere(
    'fails when one change set is not applied',
    async () => {
      const { run, ready } = await play({
        decorate: (ports) => ({ ...ports, store: losing(ports.store, 'storage') }),
      });
      expect(run.stage).toBe('failed');
      expect(ready).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "fails when the sample's failing test is deleted",
    async () => {
      const files = Object.fromEntries(
        Object.entries(sampleFiles()).filter(([name]) => name !== 'test/storage.test.js'),
      );
      const { run, ready } = await play({ files });
      expect(run.stage).toBe('failed');
      expect(ready).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    "fails when the script's matching is ignored",
    async () => {
      const { run, ready } = await play({ model: await startUnmatched(script) });
      expect(run.stage).toBe('failed');
      expect(ready).toEqual([]);
    },
    LIMIT_MS,
  );
});

/** A store in which every run forgets the change set of one task when its order is read. */
function losing(store: Ports['store'], task: string): Ports['store'] {
  return {
    ...store,
    get: async <T extends object>(ref: DocumentRef<T>) => {
      const found = await store.get(ref);
      if (found === undefined || !('changeOrder' in found.data)) return found;
      const run = found.data as unknown as Run;
      return {
        ...found,
        data: { ...run, changeOrder: run.changeOrder.filter((id) => id !== task) } as unknown as T,
      };
    },
  };
}

/** Plays an agent's turns in their order, whatever the request holds: what matching is there to prevent. */
function startUnmatched({ turns }: Script): Promise<MessagesServer> {
  return startMessagesServer({
    answer: (request) => {
      const { agent, assistantTurns } = readConversation(request);
      const own = turns.filter((turn) => turn.agent === agent);
      const answer: Script['turns'][number]['answer'] = own[Math.min(assistantTurns, own.length - 1)]
        ?.answer ?? { text: 'nothing to say' };
      const blocks = [
        ...(answer.text === undefined ? [] : [{ type: 'text' as const, text: answer.text }]),
        ...(answer.json === undefined ? [] : [{ type: 'text' as const, text: JSON.stringify(answer.json) }]),
        ...(answer.tool_uses ?? []).map(({ name, input }, n) => ({
          type: 'tool_use' as const,
          id: `toolu_${assistantTurns}_${n}`,
          name,
          input,
        })),
      ];
      return { blocks, stop: answer.tool_uses === undefined ? 'end' : 'tool_use' };
    },
  });
}
