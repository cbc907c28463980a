import { serve } from '@hono/node-server';
import { openApiWorld } from '/work/main/test/functions/api/api-world.ts';
import { startRun, plannedTask, work, claim, write } from '/work/main/test/functions/api/drive-run.ts';
import { createSampleRepository } from '/work/main/test/support/sample-repository.ts';
const world = await openApiWorld();
const { ports } = world.runtime;
const files = { 'package.json': '{"name":"todo","scripts":{"test":"node --test"}}\n', 'src/api.js': Array.from({length:30},(_,i)=>`export const line${i} = ${i};`).join('\n')+'\n', 'src/old.js':'gone\n' };
const repo = createSampleRepository(files);
const say = (text) => ({ kind:'turn', turn:{role:'assistant',blocks:[{type:'text',text},{type:'tool_use',id:'1',name:'read_file',input:{path:'src/api.js'}}]}, model:'script-1', usage:{input:900,output:120,cacheRead:4000,cacheWrite:0} });
const lines = (t) => [
 { kind:'stage', stage:'initialize_agent', ms: 3 },
 { kind:'turn', turn:{role:'user',blocks:[{type:'text',text:`# Task\n${t}\n`+'More words of the prompt.\n'.repeat(30)}]} },
 say(`I read the module first, then I add a field priority to ${t}. <script>alert(1)</script>`),
 { kind:'tool', name:'read_file', input:'{"path":"src/api.js"}', allowed:true, isError:false, summary:'src/api.js, 30 lines', ms:4 },
 { kind:'turn', turn:{role:'user',blocks:[{type:'tool_result',toolUseId:'1',content:files['src/api.js'],isError:false}]} },
 { kind:'checks', results:[{command:'node --test',exitCode:1,passed:false,summary:'11 passed, 1 failed',outputTail:'not ok 3 - sorts by priority\n  expected 2, got undefined',durationMs:812}] },
 { kind:'tool', name:'shell', input:'{"command":"curl http://169.254.169.254"}', allowed:false, isError:true, summary:'', ms:1 },
 { kind:'note', text:'Workspace saved.' },
];
const check = (passed=true) => ({command:'node --test',exitCode:passed?0:1,passed,summary:'18 passed',outputTail:'ok\n',durationMs:912});
const plan = { tasks: [ plannedTask('design','technical_writer'), plannedTask('api','backend_developer',['design']), plannedTask('storage','backend_developer',['design']), plannedTask('tests','qa_testing',['api','storage']), plannedTask('docs','technical_writer',['tests']), plannedTask('review','code_reviewer',['docs']) ] };
plan.tasks[1].scope=['src/api.js']; plan.tasks[2].scope=['src/store.js']; plan.tasks[3].scope=['test/**'];
const submission = { title:'Todos need a priority so that what matters comes first <script>alert(1)</script>', requirement:'Todos need a priority.\n\nIt is one of high, normal and low; the list is sorted by it.', target:{host:'local-git',repository:repo.folder}, plan };
const stop = process.argv[2];
const run = await startRun(ports, submission);
const nap = (ms) => new Promise(r=>setTimeout(r,ms));
await nap(300);
await work(ports, run, 'design', { files: {'docs/spec.md':[null,'Spec\n']}, lines: lines('design'), spentMicroUsd: 21000 });
const api = {'src/api.js':[files['src/api.js'], files['src/api.js'].replace('line4 = 4','line4 = 44').replace('line20 = 20;', 'line20 = 20; // '+'a very long line '.repeat(20))]};
await work(ports, run, 'api', { lines: lines('api'), spentMicroUsd: 41000, files: api, result:{outcome:'succeeded',summary:'Adds the field `priority` to the routes and checks its values.',checks:[check()]} });
if (stop !== 'live') {
await work(ports, run, 'storage', { lines: lines('storage'), spentMicroUsd: 52000, files: {'src/store.js':[null,'export const store = [];\n'],'src/old.js':['gone\n',null]}, result:{outcome:'succeeded',summary:'Stores and sorts.',checks:[check()]} });
if (stop === 'failed') {
 for (let n=0;n<3;n++) { await nap(4100); await work(ports, run, 'tests', { lines: lines('tests'), spentMicroUsd: 12000, result:{outcome:'failed',failure:{code:'checks_red',message:`1 of 18 tests fails: sorts by priority (try ${n}): expected "high", got undefined`},checks:[check(false)]}}).catch(e=>console.log(String(e))); }
} else {
await work(ports, run, 'tests', { lines: lines('tests'), spentMicroUsd: 33000, files: {'test/a.test.js':[null,'import test from "node:test";\ntest("a", () => {});\n']} , result:{outcome:'succeeded',summary:'Tests for both.',checks:[check()]}});
await work(ports, run, 'docs', { files: {'README.md':[null,'Hello\n']}, lines: lines('docs'), spentMicroUsd: 9000, result:{outcome:'succeeded',summary:'Explains it.',output:'text'}});
await work(ports, run, 'integrate-1', { lines: lines('integrate'), files: {...api,'docs/spec.md':[null,'Spec\n'],'README.md':[null,'Hello\n'],'src/store.js':[null,'export const store = [];\n'],'src/old.js':['gone\n',null],'test/a.test.js':[null,'import test from "node:test";\ntest("a", () => {});\n']}, result:{outcome:'succeeded',summary:'4 change sets applied.',checks:[check()]} });
await work(ports, run, 'review', { lines: lines('review'), spentMicroUsd: 18000, result:{outcome:'succeeded',summary:'Fine.',review:{verdict:'approve',summary:'Correct and small. One thought for later.',remarks:[{path:'src/api.js',text:'The values could be an enum of their own.'}]}} });
} } else {
 const fence = await claim(ports, run, 'storage', { lines: lines('storage'), spentMicroUsd: 2000 });
 let n=1; setInterval(()=>{ void write(ports, fence, n++, [{kind:'note',text:`still at it, ${n}`}]); }, 700);
}
const server = serve({ fetch: world.app.fetch, port: Number(process.argv[3] ?? 8123), hostname:'127.0.0.1' }, () => console.log('RUN', run.id));
