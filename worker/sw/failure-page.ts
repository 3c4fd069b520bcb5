/**
 * What a person sees in the app's frame when a page could not be brought: what, why, what to do, whom to ask, an id to
 * quote, and a way on.
 */
import { contactAddress } from '../contact.ts';
import { pageStyle } from '../page-style.ts';
import { sentencesOf } from './failure-text.ts';
import type { Installation } from './installation.ts';

const warning = `<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M12 4 2.8 19.5h18.4L12 4Z"/><path d="M12 10v4m0 2.8v.2"/></svg>`;

/** Copies the id; where the clipboard is kept from the page, the id is selected by a click all the same. */
const copyScript = `const b=document.querySelector('button');b.onclick=()=>navigator.clipboard.writeText(b.value).then(()=>{b.textContent='Copied'},()=>{b.hidden=true});b.hidden=false`;

/** What a page says about a failure, and where it was. */
export interface FailedPage extends Installation {
  readonly code: string;
  /** The id under which the gateway's log tells the cause; empty when nobody was asked. */
  readonly correlation: string;
  /** Address to try again, or undefined where trying again would send something twice. */
  readonly again: string | undefined;
}

export function failurePage(page: FailedPage): Response {
  const { code, correlation, again, hub } = page;
  const { status, what, why, next } = sentencesOf(code);
  const nonce = crypto.randomUUID();
  const retryLink = again === undefined ? '' : `<a href="${escapeHtml(again)}">Try again</a>`;
  const id = correlation === '' ? '' : ` · id <code>${escapeHtml(correlation)}</code>`;
  const copy =
    correlation === ''
      ? ''
      : `<button hidden value="${escapeHtml(correlation)}" aria-live="polite">Copy the id</button><script nonce="${nonce}">${copyScript}</script>`;
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${what}</title><style nonce="${nonce}">${pageStyle}</style>
<main><div role="alert">${warning}<h1>${what}</h1><p>${why} ${next}</p>${helpOf(page)}<div class="id"><p class="id"><span><code>${escapeHtml(code)}</code>${id}</span></p>${copy}</div>
<p class="ways">${retryLink}<a href="${escapeHtml(hub)}" target="_top">Go to the hub</a></p></div></main></html>`;
  return new Response(body, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`,
    },
  });
}

/** Whom to ask, as the operator wrote it. */
function helpOf({ contact }: Installation): string {
  if (contact === '') return '';
  const address = contactAddress(contact);
  const text = escapeHtml(contact);
  if (address === undefined) return `<p>Help: ${text}</p>`;
  const link = `<a href="${escapeHtml(address.href)}" target="_blank" rel="noreferrer">${escapeHtml(address.text)}</a>`;
  return `<p>Help: ${text.replace(escapeHtml(address.text), () => link)}</p>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
