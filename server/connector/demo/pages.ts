/** The demo service's pages: plain HTML, one stylesheet, one script, as a small internal tool would have them. */

const head = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Field notes</title>
<link rel="stylesheet" href="/style.css">
<script src="/app.js" defer></script>
</head>`;

/** The only dynamic text of these pages; it was typed by the visitor. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** @param name whom the visitor signed in as. */
export function homePage(name: string | undefined): string {
  const account =
    name === undefined
      ? `<form method="post" action="/sign-in"><label>Your name <input name="name" required maxlength="64" autocomplete="off"></label>
<button>Sign in to Field notes</button></form>`
      : `<form method="post" action="/sign-out"><p>Signed in as <strong id="account">${escapeHtml(name)}</strong>.</p><button>Sign out</button></form>`;
  return `${head}
<body>
<header><h1>Field notes</h1><p>A small internal app behind WireGuard. It has no public address; you reach it from this tab alone.</p></header>
<main>
<section><h2>Who are you?</h2>${account}<p class="quiet">The gateway says you are <code id="identity">…</code></p></section>
<section><h2>Try the connection</h2>
<p><a href="/old">Follow a redirect</a></p>
<p><a href="/download?bytes=8388608" download="demo.bin">Download 8 MiB</a></p>
<p><label>Upload a file <input type="file" id="file"></label> <output id="upload"></output></p>
<form id="echo"><label>Say something <input name="line" autocomplete="off"></label> <button>Send over WebSocket</button></form>
<ul id="lines" aria-live="polite"></ul></section>
</main>
</body>
</html>`;
}

export const landedPage = `${head}
<body><header><h1>You have landed</h1></header><main><p>The redirect worked. <a href="/">Back</a></p></main></body>
</html>`;

export const stylesheet = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 44rem; padding: 2rem 1.25rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 0 0 .5rem; }
section { border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: .75rem; margin: 1rem 0; padding: 1rem 1.25rem; }
input, button { font: inherit; padding: .35rem .6rem; }
.quiet { opacity: .75; }
`;

export const appScript = `'use strict';
const identity = document.getElementById('identity');
if (identity) fetch('/whoami').then((answer) => answer.json()).then((who) => { identity.textContent = who.user ?? 'nobody it knows'; });

document.getElementById('file')?.addEventListener('change', async (event) => {
  const file = event.target.files[0];
  if (!file) return;
  const answer = await (await fetch('/upload', { method: 'POST', body: file })).json();
  document.getElementById('upload').textContent = answer.bytes + ' bytes, SHA-256 ' + answer.sha256;
});

let socket;
function connected() {
  if (socket && socket.readyState <= WebSocket.OPEN) return socket;
  socket = new WebSocket(location.origin.replace(/^http/, 'ws') + '/echo');
  socket.addEventListener('message', (event) => {
    const line = document.createElement('li');
    line.textContent = event.data;
    document.getElementById('lines').append(line);
  });
  return socket;
}
document.getElementById('echo')?.addEventListener('submit', (event) => {
  event.preventDefault();
  const line = event.target.elements.line.value;
  const target = connected();
  if (target.readyState === WebSocket.OPEN) target.send(line);
  else target.addEventListener('open', () => target.send(line), { once: true });
});
`;
