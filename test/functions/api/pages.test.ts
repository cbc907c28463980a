import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { serve } from '@hono/node-server';
import type { Server } from 'node:net';
import { checksCard } from '../../../functions/api/pages/checks.ts';
import { change } from '../../../shared/core/change.ts';
import { refs } from '../../../shared/core/refs.ts';
import type { Run } from '../../../shared/core/run.ts';
import { group } from '../../support/groups.ts';
import { portOf } from '../../support/port-of.ts';
import type { SampleRepository } from '../../support/sample-repository.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { claim, finish, startRun } from './drive-run.ts';
import { integrateARun } from './integrated-run.ts';

const hostile = '</title><script>document.title = "taken"</script><b onmouseover="x">';

let world: ApiWorld;
let run: Run;
let repository: SampleRepository;
beforeAll(async () => {
  world = await openApiWorld();
  ({ run, repository } = await integrateARun(world.runtime.ports, { title: hostile, requirement: hostile }));
});
afterAll(async () => {
  await world.close();
  repository.remove();
});

async function page(path: string): Promise<{ text: string; headers: Headers }> {
  const answer = await world.app.request(path);
  expect(answer.status).toBe(200);
  return { text: await answer.text(), headers: answer.headers };
}

describe('the page of a run', () => {
  it('says which checks of CI were red on which commit', async () => {
    const ci = { head: 'abcdef0123'.repeat(4), state: 'red' as const, checks: ['test <b>'] };
    const card = async (changes: Partial<Run>) => String(await checksCard({ ...run, ...changes }, []));
    expect(await card({ stage: 'integrating', ci })).toContain(
      'CI was red on commit abcdef0: test &lt;b&gt;.',
    );
    expect(await card({})).not.toContain('on commit');
  });

  it('shows stage, tasks, timeline, log, change, cost, checks and review', async () => {
    const { text } = await page(`/runs/${run.id}?log=api.1`);
    for (const part of [
      '✓ succeeded',
      'integrate-1',
      'Log of api, attempt 1',
      '$0.0435',
      '18 passed',
      '✓ approves',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('<span class="add">+export const store = [];</span>');
    expect(text).toMatch(/<svg\s+class="graph"[^]*<a class="good" href="\?log=api\.1#log">/);
    expect(text).toContain('Scripted model: no AI is called, tokens and cost are simulated.');
  });

  it('puts nothing that others wrote into it as markup', async () => {
    const { text } = await page(`/runs/${run.id}?log=api.1`);
    expect(text.match(/<script/g)).toHaveLength(1);
    for (const markup of ['<b onmouseover', '<img', '<b>two', '<it>']) expect(text).not.toContain(markup);
    for (const shown of ['&lt;img src=x', '&lt;b&gt;two&lt;/b&gt;', '&lt;it&gt;', '&lt;/title&gt;'])
      expect(text).toContain(shown);
  });

  it('may run its own script and style only, and load nothing from elsewhere', async () => {
    const first = await page(`/runs/${run.id}`);
    const policy = first.headers.get('content-security-policy') ?? '';
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
    expect(nonce.length).toBeGreaterThan(15);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    expect(first.text).toContain(`<script nonce="${nonce}"`);
    expect(first.text).not.toMatch(/\sstyle="|\son\w+="/);
    expect((await page(`/runs/${run.id}`)).headers.get('content-security-policy')).not.toBe(policy);
  });

  it('leads nowhere but to web addresses', async () => {
    const { ports } = world.runtime;
    const other = await startRun(ports, {
      origin: { kind: 'github', actor: 'github:eve', issue: { number: 7, url: 'javascript:alert(1)' } },
    });
    await change(ports.store, refs.run('local', other.id), (current) => ({
      data: { ...current, pullRequest: { number: 8, url: ' JaVaScRiPt:alert(2)', ready: false } },
    }));
    for (const path of [`/runs/${other.id}`, '/runs']) {
      const { text } = await page(path);
      expect(text.toLowerCase()).not.toContain('javascript:');
      expect(text).toContain('#8');
    }
  });

  it('says why a run failed and leads to the attempt', async () => {
    const { ports } = world.runtime;
    const failing = await startRun(ports);
    const fence = await claim(ports, failing, 'write');
    const failure = { code: 'forbidden' as const, message: 'the shell was <denied>' };
    await finish(ports, failing, fence, { result: { outcome: 'failed', failure } });
    const { text } = await page(`/runs/${failing.id}`);
    expect(text).toContain('task write failed: the shell was &lt;denied&gt;');
    expect(text).toContain('href="?log=write.1#log"');
    expect(text).not.toContain('id="cancel"');
  });

  it('offers to stop a run that is live, and says nothing of a script when a model answers', async () => {
    const real = await openApiWorld({ simulated: false });
    const live = await startRun(real.runtime.ports);
    const text = await (await real.app.request(`/runs/${live.id}`)).text();
    expect(text).toContain('id="cancel"');
    expect(text).not.toContain('Scripted model');
    await real.close();
  });
});

describe('the list of runs as a page', () => {
  it('shows the same under / and /runs, newest first, escaped', async () => {
    const { text } = await page('/');
    expect(text).toContain(`href="/runs/${run.id}"`);
    expect(text).toContain('&lt;/title&gt;&lt;script&gt;');
    expect(text.match(/<script/g)).toHaveLength(1);
    expect((await page('/runs?stage=failed')).text).not.toContain(`href="/runs/${run.id}"`);
  });

  it('says what to do where there is none', async () => {
    const empty = await openApiWorld();
    expect(await (await empty.app.request('/runs')).text()).toContain('penstock submit');
    await empty.close();
  });
});

group('chromium')('the page of a run in a browser', () => {
  let server: Server;
  beforeAll(async () => {
    server = await new Promise<Server>((resolve) => {
      const started = serve({ fetch: world.app.fetch, port: 0, hostname: '127.0.0.1' }, () =>
        resolve(started),
      );
    });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--virtual-time-budget=3000',
    '--dump-dom',
  ];

  /** The document after its scripts ran, whoever's they are. */
  async function dom(path: string): Promise<string> {
    const url = `http://127.0.0.1:${portOf(server)}${path}`;
    const limits = { timeout: 25_000, maxBuffer: 8 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)('/usr/bin/chromium', [...flags, url], limits);
    return stdout;
  }

  it('is not taken over by the title of a run', async () => {
    const shown = await dom(`/runs/${run.id}`);
    expect(shown).toContain('✓ succeeded');
    expect(shown).not.toContain('<title>taken</title>');
  });

  it('follows a run to its end by itself', async () => {
    const { ports } = world.runtime;
    const live = await startRun(ports, { title: 'seen live' });
    const fence = await claim(ports, live, 'write', {
      lines: [{ kind: 'note', text: 'streamed to the page' }],
    });
    // Not before the page has been served: what it shows of the end, its script has fetched.
    const served = whenAsked(`/api/runs/${live.id}/events`);
    const shown = dom(`/runs/${live.id}`);
    await served;
    await finish(ports, live, fence);
    expect(await shown).toContain('streamed to the page');
    expect(await shown).toMatch(/id="live"[^>]*data-state="over"/);
    expect(await shown).toMatch(/id="head"[^]*✓ succeeded[^]*seen live/);
    expect(await shown).not.toContain('id="cancel"');
  });

  function whenAsked(path: string): Promise<void> {
    return new Promise((resolve) => {
      server.on('request', (request: { url?: string }) => {
        if (request.url?.startsWith(path) === true) resolve();
      });
    });
  }
});
