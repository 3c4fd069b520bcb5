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
    what: 'You may not open this page.',
    why: 'A policy of your organisation does not allow it.',
    next: 'Ask your administrator for access and give them the id below.',
  },
  unreachable: {
    status: 502,
    what: 'The service cannot be reached.',
    why: 'Nothing answered at its address inside the private network.',
    next: retry,
  },
  wrong_peer: {
    status: 502,
    what: 'The service was not opened.',
    why: 'Its address is held by another machine than the one it is bound to.',
    next: 'Tell your administrator and give them the id below.',
  },
  upstream_failed: {
    status: 502,
    what: 'The service hung up.',
    why: 'It ended the connection before its answer was complete.',
    next: retry,
  },
  timeout: { status: 504, what: 'The service is too slow.', why: 'It did not answer in time.', next: retry },
  policy_stale: {
    status: 503,
    what: 'The page was not opened.',
    why: 'The gateway has not heard from the control plane for too long to be sure you still may.',
    next: 'Wait a minute and try again.',
  },
  offline: {
    status: 503,
    what: 'The tunnel is down.',
    why: 'The gateway did not answer.',
    next: 'It reconnects by itself; try again in a moment.',
  },
  refused: {
    status: 403,
    what: 'The tunnel was refused.',
    why: 'Your credential ended or was withdrawn.',
    next: 'Open the service again from the hub.',
  },
  no_answer: {
    status: 503,
    what: 'The page was not opened.',
    why: 'The tab that holds the tunnel did not answer.',
    next: 'Reload this page.',
  },
};
const other: Sentences = {
  status: 502,
  what: 'The page could not be brought.',
  why: 'The tunnel failed.',
  next: retry,
};

/** @param correlation the id under which the gateway's log tells the cause. */
export function failurePage(code: string, correlation: string): Response {
  const { status, what, why, next } = sentences[code] ?? other;
  const id = correlation === '' ? '' : `<p class="id">Id <code>${escapeHtml(correlation)}</code></p>`;
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${what}</title><style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}body{margin:12vh auto;max-width:34rem;padding:0 1.5rem}
h1{font-size:1.35rem;margin:0 0 .5rem}.id{opacity:.7;font-size:.875rem}</style>
<main role="alert"><h1>${what}</h1><p>${why} ${next}</p>${id}<p class="id">${escapeHtml(code)}</p></main></html>`;
  return new Response(body, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
  });
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
