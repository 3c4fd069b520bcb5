/** What a person sees in the app's frame when a page could not be brought: what, why, what to do, and an id to quote. */

interface Sentences {
  readonly status: number;
  readonly what: string;
  readonly why: string;
  readonly next: string;
}

const retry = 'Try again; if it goes on, tell the person who runs this service.';
const sentences: Readonly<Record<string, Sentences>> = {
  denied: {
    status: 403,
    what: 'You may not open this page',
    why: 'No policy of your organisation allows it.',
    next: 'Ask your administrator for access and give them the id below.',
  },
  unreachable: {
    status: 502,
    what: 'The service cannot be reached',
    why: 'Nothing answered at its address inside the private network.',
    next: retry,
  },
  wrong_peer: {
    status: 502,
    what: 'The service was not opened',
    why: 'Its address is held by another machine than the one it is bound to.',
    next: 'Tell your administrator and give them the id below.',
  },
  unknown_service: {
    status: 404,
    what: 'The service is gone',
    why: 'It was removed, or is being moved.',
    next: 'Open the hub to see what there is.',
  },
  upstream_failed: {
    status: 502,
    what: 'The service hung up',
    why: 'It ended the connection before its answer was complete.',
    next: retry,
  },
  timeout: { status: 504, what: 'The service is too slow', why: 'It did not answer in time.', next: retry },
  too_many: {
    status: 503,
    what: 'Too much at once',
    why: 'This tab has more open than the gateway allows.',
    next: 'Close what you do not need and try again.',
  },
  stepup_required: {
    status: 403,
    what: 'This page asks for your passkey again',
    why: 'It is opened only when you have just confirmed that it is you, and that was not done.',
    next: 'Try again, and confirm when you are asked above the page.',
  },
  policy_stale: {
    status: 503,
    what: 'The page was not opened',
    why: 'The gateway has not heard from the control plane for too long to be sure you still may.',
    next: 'Wait a minute and try again.',
  },
  offline: {
    status: 503,
    what: 'The tunnel is down',
    why: 'The gateway did not answer.',
    next: 'It reconnects by itself; try again in a moment.',
  },
  session_closed: {
    status: 503,
    what: 'The tunnel was lost',
    why: 'It ended before the page was complete.',
    next: 'It reconnects by itself; try again in a moment.',
  },
  refused: {
    status: 403,
    what: 'The tunnel was refused',
    why: 'Your credential ended or was withdrawn.',
    next: 'Open the service again from the hub.',
  },
  too_large: {
    status: 431,
    what: 'The request is too large',
    why: 'Its address or headers are longer than a tunnel carries.',
    next: 'Clear the cookies of this service, or tell the person who runs it.',
  },
  no_answer: {
    status: 503,
    what: 'The page was not opened',
    why: 'The tab that holds the tunnel did not answer.',
    next: 'Go to that tab, or open the service again from the hub.',
  },
  no_shell: {
    status: 503,
    what: 'The page was not opened',
    why: 'The tab that held the tunnel is closed.',
    next: 'Open the service again from the hub.',
  },
};
const other: Sentences = {
  status: 502,
  what: 'The page could not be brought',
  why: 'The tunnel failed.',
  next: retry,
};
/** The same event, seen from different places. */
const aliases: Readonly<Record<string, string>> = { truncated: 'session_closed', tab_gone: 'no_shell' };

const style = `:root{color-scheme:light dark;--ink:#141a23;--soft:#4b5565;--paper:#f5f6f8;--card:#fff;--line:#d8dde5;--bad:#b3261e;--accent:#1b59cf;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#a7b2c1;--paper:#0e1218;--card:#171d26;--line:#2a3340;--bad:#ffa199;--accent:#82aeff}}
*{box-sizing:border-box}body{background:var(--paper);color:var(--ink);display:grid;margin:0;min-height:100vh;padding:1.25rem;place-items:center}
main{background:var(--card);border:1px solid var(--line);border-radius:12px;max-width:31rem;padding:clamp(1.25rem,6vw,2.25rem);width:100%}
svg{color:var(--bad);display:block;height:2rem;margin-bottom:.75rem;width:2rem}
h1{font-size:1.35rem;letter-spacing:-.01em;line-height:1.25;margin:0 0 .5rem}p{margin:0 0 1rem}
a{color:var(--accent);font-weight:600}a:focus-visible{outline:3px solid;outline-offset:2px}
.id{color:var(--soft);font-size:.875rem;margin:0;overflow-wrap:anywhere}code{font-family:ui-monospace,"Liberation Mono",monospace}`;

const warning = `<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M12 4 2.8 19.5h18.4L12 4Z"/><path d="M12 10v4m0 2.8v.2"/></svg>`;

/** What a page says about a failure, and where it was. */
export interface FailedPage {
  readonly code: string;
  /** The id under which the gateway's log tells the cause; empty when nobody was asked. */
  readonly correlation: string;
  /** Address to try again, or undefined where trying again would send something twice. */
  readonly again: string | undefined;
}

export function failurePage({ code, correlation, again }: FailedPage): Response {
  const { status, what, why, next } = sentences[aliases[code] ?? code] ?? other;
  const nonce = crypto.randomUUID();
  const retryLink = again === undefined ? '' : `<p><a href="${escapeHtml(again)}">Try again</a></p>`;
  const id = correlation === '' ? '' : ` · id <code>${escapeHtml(correlation)}</code>`;
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${what}</title><style nonce="${nonce}">${style}</style>
<main role="alert">${warning}<h1>${what}</h1><p>${why} ${next}</p>${retryLink}<p class="id"><code>${escapeHtml(code)}</code>${id}</p></main></html>`;
  return new Response(body, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`,
    },
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
