import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadScript, type Script } from '../../../shared/adapters/script/script-file.ts';
import { architectAnswer, plannedTask, type PlannedTask } from '../../../shared/messages/plan.ts';
import { demoFolder, openDemoBench, sampleFiles, type DemoBench, type DoneTask } from './demo-bench.ts';

const requirement = readFileSync(join(demoFolder, 'issue.md'), 'utf8').replace(/^# /, '');
const script: Script = await loadScript(join(demoFolder, 'script.yaml'));
const files = sampleFiles();

const bench: DemoBench = await openDemoBench({ script, files });
const done = new Map<string, DoneTask>();
it('x', async () => {
  const plan = await bench.plan(requirement);
  const out: unknown[] = [['plan', plan]];
  console.log(JSON.stringify(plan.result).slice(0, 300));
  if (plan.result.outcome !== 'succeeded') throw new Error('plan');
  const tasks = (JSON.parse(plan.result.output ?? '') as { tasks: unknown[] }).tasks.map((t) => plannedTask.parse(t));
  for (const id of ['design', 'api', 'storage', 'tests', 'docs']) {
    const task = tasks.find((t) => t.id === id)!;
    const before = new Map([...done].filter(([name]) => id !== 'storage' || name !== 'api'));
    const t = Date.now();
    const d = await bench.work(task, before, { requirement });
    console.log(id, Date.now() - t, JSON.stringify(d.result).slice(0, 1500));
    done.set(id, d); if (d.result.outcome !== 'succeeded') { (await import('node:fs')).writeFileSync('/tmp/fail.json', JSON.stringify(d.lines)); break; }
    out.push([id, d]);
  }
  const all = await bench.integrate(done);
  console.log(JSON.stringify(all.result));
  const review = await bench.work({ ...tasks.find((t) => t.id === 'review')!, dependencies: [] }, new Map(), { requirement, kind: 'review', dependencies: [], diff: await bench.diff(all), checks: all.result.checks as never });
  console.log(JSON.stringify(review.result));
  out.push(['review', review]);
  const fs = await import('node:fs');
  fs.writeFileSync('/tmp/demo-out.json', JSON.stringify(out));
  fs.writeFileSync('/tmp/demo-diff.txt', await bench.diff(all));
  fs.rmSync('/tmp/demo-head', { recursive: true, force: true });
  fs.cpSync(join(demoFolder, 'repository'), '/tmp/demo-head', { recursive: true });
  for (const e of all.entries) fs.writeFileSync(join('/tmp/demo-head', e.path), e.content ?? '');
}, 120_000);
afterAll(() => bench.stop());
void beforeAll; void describe; void expect; void architectAnswer; type _P = PlannedTask;
