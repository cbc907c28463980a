/**
 * Keeps an open run page up to date: an event makes it fetch the page again and put the server's own markup in place, so
 * that there is one way to show a thing. The log is streamed as text. Without the script the page is complete, only still.
 */
export const runScript = `
const { run, over } = document.body.dataset;
const live = document.getElementById('live');
const say = (state, text) => { if (live) { live.dataset.state = state; live.textContent = text; } };

let timer;
async function refresh() {
  timer = undefined;
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (!answer?.ok) return say('lost', 'cannot reach the server');
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const open = new Set([...document.querySelectorAll('details[open][id]')].map((element) => element.id));
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = fresh.getElementById(part.id);
    if (next && next.innerHTML !== part.innerHTML) part.innerHTML = next.innerHTML;
  }
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  showLog();
  bindCancel();
  bindDecisions();
}
const refreshSoon = () => { timer ??= setTimeout(refresh, 400); };

let followed, stopLog;
async function showLog() {
  const head = document.getElementById('log-source');
  const url = head?.dataset.follow;
  if (!url || url === followed) return;
  followed = url;
  stopLog?.abort();
  stopLog = new AbortController();
  const pre = document.getElementById('log-text');
  try {
    const answer = await fetch(url, { signal: stopLog.signal });
    if (!answer.ok) return;
    pre.textContent = '';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 40;
      pre.append(part.value);
      if (atEnd) pre.scrollTop = pre.scrollHeight;
    }
  } catch (error) {
    if (error.name !== 'AbortError') followed = undefined;
  }
}

function bindCancel() {
  const button = document.getElementById('cancel');
  if (!button) return;
  button.onclick = async () => {
    if (!confirm('Stop run ' + run + '? What runs is told to stop; nothing more is started.')) return;
    button.disabled = true;
    const answer = await fetch('/api/runs/' + run + '/cancel', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    if (!answer.ok) alert((await answer.json()).detail);
    refreshSoon();
  };
}

function bindDecisions() {
  for (const button of document.querySelectorAll('[data-decision]')) {
    button.onclick = async () => {
      const { decision, option } = button.dataset;
      button.disabled = true;
      const answer = await fetch('/api/decisions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ decisionId: decision, option }) });
      if (!answer.ok) alert((await answer.json()).detail);
      refreshSoon();
    };
  }
}

const pre = document.getElementById('log-text');
if (pre) pre.scrollTop = pre.scrollHeight;
bindCancel();
bindDecisions();
if (over !== 'true') {
  const events = new EventSource('/api/runs/' + run + '/events?cursor=' + document.body.dataset.seq);
  events.onopen = () => say('live', '● live');
  events.onerror = () => say('lost', 'connection lost, trying again…');
  for (const type of document.body.dataset.events.split(' ')) {
    events.addEventListener(type, () => {
      refreshSoon();
      if (type === 'run_finished') { events.close(); say('over', 'ended'); }
    });
  }
  showLog();
}
`;

/** The list of runs has no events of its own: it is fetched again while somebody looks at it. */
export const runsScript = `
setInterval(async () => {
  if (document.hidden) return;
  const answer = await fetch(location.href).catch(() => undefined);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const part = document.getElementById('runs'), next = fresh.getElementById('runs');
  if (part && next && next.innerHTML !== part.innerHTML) part.innerHTML = next.innerHTML;
}, 4000);
`;
