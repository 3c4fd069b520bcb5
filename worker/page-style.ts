/** How the pages look that stand alone in an app's frame: the same colours and measures as hub and shell (web/design). */
export const pageStyle = `:root{color-scheme:light dark;--ink:#141a23;--soft:#4b5565;--paper:#f5f6f8;--card:#fff;--line:#d8dde5;--edge:#7b8696;--bad:#b3261e;--accent:#1b59cf;--on:#fff;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a7b2c1;--paper:#0e1218;--card:#171d26;--line:#2a3340;--edge:#6b7787;--bad:#ffa199;--accent:#82aeff;--on:#0a1120}}
@media(prefers-contrast:more){:root{--soft:var(--ink);--line:var(--edge)}}
*{box-sizing:border-box}body{background:var(--paper);color:var(--ink);display:grid;margin:0;min-height:100vh;padding:1.25rem;place-items:center}
main{background:var(--card);border:1px solid var(--line);border-radius:12px;max-width:31rem;padding:clamp(1.25rem,6vw,2.25rem);width:100%}
svg{color:var(--bad);display:block;height:2rem;margin-bottom:.75rem;width:2rem}
h1{font-size:1.35rem;letter-spacing:-.01em;line-height:1.25;margin:0 0 .5rem;text-wrap:balance}p{margin:0 0 1rem;text-wrap:pretty}
a{color:var(--accent)}.ways{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0 0}
.ways a,button{border:1px solid var(--edge);border-radius:8px;color:var(--ink);font:inherit;font-weight:600;min-height:44px;padding:.55rem 1.15rem;text-decoration:none}
.ways a:first-child{background:var(--accent);border-color:transparent;color:var(--on)}
button{background:none;cursor:pointer;font-size:.875rem;font-weight:500;min-height:28px;padding:.1rem .6rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.id{align-items:center;color:var(--soft);display:flex;flex-wrap:wrap;font-size:.875rem;gap:.35rem .6rem;margin:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,"Liberation Mono",monospace;user-select:all}`;
