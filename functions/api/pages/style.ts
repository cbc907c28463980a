/** The whole look of the pages, light and dark by the reader's own setting. */
export const style = `
:root { color-scheme: light dark;
  --bg: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --text: #1b2330; --soft: #5b6675; --link: #0b5cad;
  --good: #157347; --good-bg: #e2f4ea; --bad: #b42318; --bad-bg: #fdeceb; --busy: #0b5cad; --busy-bg: #e4effb;
  --wait: #7a5a00; --wait-bg: #fdf3d6; --off: #5b6675; --off-bg: #eceff3;
  --add: #d9f5e3; --del: #fde2e0; --hunk: #e9effa; --code: #f3f5f8; }
@media (prefers-color-scheme: dark) { :root {
  --bg: #0f141b; --card: #171e28; --line: #2a3442; --text: #e3e8ef; --soft: #97a3b4; --link: #79b8ff;
  --good: #5dd39e; --good-bg: #12332a; --bad: #ff8a80; --bad-bg: #3b1c1c; --busy: #79b8ff; --busy-bg: #16304d;
  --wait: #f2cc60; --wait-bg: #3a2f10; --off: #97a3b4; --off-bg: #242d39;
  --add: #14382a; --del: #46201f; --hunk: #1b2a42; --code: #111821; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
a:focus-visible, button:focus-visible, summary:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre, .mono { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; font-size: 13px; }
.bar { display: flex; gap: 20px; align-items: center; padding: 10px 24px; border-bottom: 1px solid var(--line); background: var(--card); }
.bar .name { font-weight: 700; color: var(--text); letter-spacing: .01em; } .bar .space { flex: 1; }
.simulated { padding: 7px 24px; background: var(--wait-bg); color: var(--wait); border-bottom: 1px solid var(--line); font-weight: 600; }
main { max-width: 1400px; margin: 0 auto; padding: 22px 24px 60px; }
h1 { font-size: 24px; line-height: 1.25; margin: 4px 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 0; } h3 { font-size: 14px; margin: 16px 0 6px; }
.soft { color: var(--soft); } .small { font-size: 13px; } .nowrap { white-space: nowrap; } .right { text-align: right; }
.head { display: flex; gap: 16px; align-items: flex-start; margin-bottom: 18px; } .head > div:first-child { flex: 1; min-width: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); font-size: 14px; } .facts b { color: var(--text); font-weight: 600; }
.pill { display: inline-block; padding: 1px 10px; border-radius: 20px; font-size: 13px; font-weight: 600; white-space: nowrap; }
.good { color: var(--good); background: var(--good-bg); } .bad { color: var(--bad); background: var(--bad-bg); }
.busy { color: var(--busy); background: var(--busy-bg); } .wait { color: var(--wait); background: var(--wait-bg); }
.off { color: var(--off); background: var(--off-bg); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-bottom: 18px; min-width: 0; }
.card > header { display: flex; gap: 12px; align-items: baseline; padding: 11px 16px; border-bottom: 1px solid var(--line); }
.card > header .space { flex: 1; } .card > .body { padding: 12px 16px; }
.alarm { border-left: 4px solid var(--bad); background: var(--bad-bg); color: var(--text); border-radius: 8px; padding: 12px 16px; margin-bottom: 18px; overflow-wrap: anywhere; }
.alarm b { color: var(--bad); }
.two { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 18px; align-items: start; }
.two.even { grid-template-columns: repeat(2, minmax(0, 1fr)); }
@media (max-width: 960px) { .two, .two.even { grid-template-columns: minmax(0, 1fr); } .head { flex-direction: column; } }
.scroll { overflow: auto; } .tall { max-height: 460px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th { text-align: left; font-weight: 600; color: var(--soft); font-size: 13px; }
th, td { padding: 6px 9px; border-bottom: 1px solid var(--line); vertical-align: top; } tr:last-child > td { border-bottom: 0; } th:first-child, td:first-child { padding-left: 16px; } th:last-child, td:last-child { padding-right: 16px; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } tr.sum td { font-weight: 700; }
td.wide { overflow-wrap: anywhere; } .timeline td { padding-top: 4px; padding-bottom: 4px; }
pre { margin: 0; padding: 12px 16px; overflow: auto; tab-size: 4; } pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
#log-text { max-height: 520px; min-height: 120px; background: var(--code); border-radius: 0 0 10px 10px; white-space: pre-wrap; overflow-wrap: anywhere; }
.tabs { display: flex; flex-wrap: wrap; gap: 6px; padding: 8px 16px; border-bottom: 1px solid var(--line); max-height: 96px; overflow: auto; }
.tabs a { padding: 0 9px; border: 1px solid var(--line); border-radius: 6px; font-size: 13px; color: var(--soft); } .tabs a.here { color: var(--text); border-color: var(--link); }
.tabs i { font-style: normal; background: none; }
details > summary { cursor: pointer; } .file { border-top: 1px solid var(--line); } .file:first-child { border-top: 0; }
.file > summary { padding: 8px 16px; overflow-wrap: anywhere; } .file .plus { color: var(--good); } .file .minus { color: var(--bad); }
.diff { padding: 0; background: var(--code); line-height: 1.45; } .diff span { display: block; width: max-content; min-width: 100%; padding: 0 16px; }
.diff .add { background: var(--add); } .diff .del { background: var(--del); } .diff .hunk { background: var(--hunk); color: var(--soft); }
svg.graph { display: block; } .graph path { fill: none; stroke: var(--line); stroke-width: 1.6; }
.graph rect { fill: var(--card); stroke: var(--line); stroke-width: 1.4; } .graph text { fill: var(--text); font: 13px system-ui, "DejaVu Sans", sans-serif; }
.graph .title { font-weight: 650; } .graph .under { fill: var(--soft); font-size: 11.5px; }
.graph .good rect { stroke: var(--good); fill: var(--good-bg); } .graph .bad rect { stroke: var(--bad); fill: var(--bad-bg); stroke-width: 2.2; }
.graph .busy rect { stroke: var(--busy); fill: var(--busy-bg); stroke-width: 2.2; } .graph .wait rect { stroke-dasharray: 4 3; }
.graph .off rect { fill: var(--off-bg); } .graph a:hover rect { stroke: var(--link); } .graph .good, .graph .bad, .graph .busy, .graph .off { background: none; }
.graph .good .mark { fill: var(--good); } .graph .bad .mark { fill: var(--bad); } .graph .busy .mark { fill: var(--busy); } .graph .wait .mark, .graph .off .mark { fill: var(--soft); }
.meter { width: 100%; max-width: 150px; height: 8px; accent-color: var(--busy); vertical-align: middle; }
button { font: inherit; font-weight: 600; padding: 5px 14px; border-radius: 7px; border: 1px solid var(--bad); color: var(--bad); background: var(--card); cursor: pointer; }
button:hover { background: var(--bad-bg); } button:disabled { opacity: .5; cursor: default; }
.filters { display: flex; flex-wrap: wrap; gap: 8px; margin: 0 0 14px; } .filters a.here { font-weight: 700; color: var(--text); }
.empty { padding: 26px 16px; color: var(--soft); } .task > summary { padding: 7px 16px; border-top: 1px solid var(--line); } .task:first-child > summary { border-top: 0; }
.task .body { padding: 4px 16px 12px 34px; } blockquote { margin: 6px 0; padding-left: 12px; border-left: 3px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
#live[data-state="live"] { color: var(--good); } #live[data-state="lost"] { color: var(--bad); font-weight: 600; }
`;
