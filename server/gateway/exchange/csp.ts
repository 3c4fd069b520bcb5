/**
 * Content-Security-Policy of an app, changed by exactly two things and never loosened beyond them: the shim's one
 * script may run, and the shell's origin may frame the page (CSP level 3; X-Frame-Options by RFC 7034). A page that
 * anybody might frame is tightened to itself and the shell.
 * A nonce beside `'unsafe-inline'` would switch `'unsafe-inline'` off and break the app, so there the shim goes inline.
 */
import { allowsInline, allowsOwnScript } from './csp-source.ts';
import { type Header, valuesOf } from './headers.ts';

/** How the shim's element has to look so that every policy of the page lets it run. */
export type ShimForm = { readonly form: 'external' | 'inline'; readonly nonce: string | undefined };

interface Directive {
  readonly name: string;
  readonly sources: readonly string[];
  /** As the service wrote it; untouched directives go out like that. */
  readonly text: string;
}
type Policy = readonly Directive[];

const field = 'content-security-policy';

/** Each Content-Security-Policy field may hold several policies, and all of them bind. */
function parsePolicies(headers: readonly Header[]): Policy[] {
  return valuesOf(headers, field)
    .flatMap((text) => text.split(','))
    .map((text) =>
      text
        .split(';')
        .map(parseDirective)
        .filter((directive) => directive.name !== ''),
    );
}

function parseDirective(text: string): Directive {
  const [name = '', ...sources] = text.trim().split(/[\t\n\f\r ]+/);
  return { name: name.toLowerCase(), sources, text: text.trim() };
}

const format = (policy: Policy): string => policy.map((directive) => directive.text).join('; ');

function directive(name: string, sources: readonly string[]): Directive {
  return { name, sources, text: [name, ...sources].join(' ') };
}

/** The first of a name counts (CSP section 2.2.1). */
const find = (policy: Policy, ...names: string[]): Directive | undefined =>
  names.map((name) => policy.find((candidate) => candidate.name === name)).find((found) => found !== undefined);

const replace = (policy: Policy, old: Directive, by: Directive): Policy =>
  policy.map((candidate) => (candidate === old ? by : candidate));

/** Removes the fields and puts the policies back, one field each. */
function withPolicies(headers: readonly Header[], policies: readonly Policy[]): Header[] {
  const others = headers.filter(([name]) => name !== field);
  return [
    ...others,
    ...policies.filter((policy) => policy.length > 0).map((policy): Header => [field, format(policy)]),
  ];
}

const scriptDirective = (policy: Policy): Directive | undefined =>
  find(policy, 'script-src-elem', 'script-src', 'default-src');

/** Whether the page has an origin of its own that nobody else has (CSP section 6.3.2). */
export function isSandboxed(headers: readonly Header[]): boolean {
  return parsePolicies(headers)
    .map((policy) => find(policy, 'sandbox'))
    .some((sandbox) => sandbox && !sandbox.sources.some((flag) => flag.toLowerCase() === 'allow-same-origin'));
}

/**
 * Lets the shim run in the page.
 * @param shim its address on the app's origin. @param nonce fresh for this response, unguessable.
 */
export function admitShim(headers: readonly Header[], shim: URL, nonce: string): { headers: Header[]; shim: ShimForm } {
  const policies = parsePolicies(headers);
  if (policies.length === 0) return { headers: [...headers], shim: { form: 'external', nonce: undefined } };
  const inline = policies.some((policy) => needsInline(policy, shim));
  let nonceUsed = false;
  const changed = policies.map((policy) => {
    if (runs(policy, shim, inline)) return policy;
    nonceUsed = true;
    return withNonce(policy, nonce);
  });
  return {
    headers: nonceUsed ? withPolicies(headers, changed) : [...headers],
    shim: { form: inline ? 'inline' : 'external', nonce: nonceUsed ? nonce : undefined },
  };
}

/** Nothing of our origin may load, but inline script may: a nonce would take that away. */
function needsInline(policy: Policy, shim: URL): boolean {
  const sources = scriptDirective(policy)?.sources;
  return sources !== undefined && allowsInline(sources) && !allowsOwnScript(sources, shim);
}

function runs(policy: Policy, shim: URL, inline: boolean): boolean {
  const sources = scriptDirective(policy)?.sources;
  if (sources === undefined) return true;
  return inline ? allowsInline(sources) : allowsOwnScript(sources, shim);
}

function withNonce(policy: Policy, nonce: string): Policy {
  const governing = scriptDirective(policy);
  if (governing === undefined) return policy;
  const sources = [...withoutNone(governing.sources), `'nonce-${nonce}'`];
  // default-src governs styles, frames and more: the nonce goes into a script-src that says the same otherwise.
  if (governing.name === 'default-src') return [...policy, directive('script-src', sources)];
  return replace(policy, governing, directive(governing.name, sources));
}

const withoutNone = (sources: readonly string[]): string[] =>
  sources.filter((source) => source.toLowerCase() !== "'none'");

/**
 * Lets the shell, and nobody else in addition, frame the page. A page whose service says nothing of framing gets a
 * policy of its own that names itself and the shell: every app is same-site with every other, so a sibling that framed
 * it could have it send requests with the person's cookies.
 * @param isPage whether the response is shown as a document; framing means nothing to any other.
 */
export function admitShellFrame(headers: readonly Header[], shellOrigin: string, isPage = false): Header[] {
  const policies = parsePolicies(headers);
  const framing = policies.some((policy) => find(policy, 'frame-ancestors') !== undefined);
  const options = valuesOf(headers, 'x-frame-options');
  if (!framing && options.length === 0) {
    if (!isPage) return [...headers];
    return withPolicies(headers, [...policies, [directive('frame-ancestors', ["'self'", shellOrigin])]]);
  }
  const rest = headers.filter(([name]) => name !== 'x-frame-options');
  const widened = policies.map((policy) => withAncestor(policy, shellOrigin));
  // frame-ancestors overrides X-Frame-Options in every browser we serve, so the older field counts only alone.
  const translated = framing ? undefined : ancestorsOf(options, shellOrigin);
  return withPolicies(rest, translated === undefined ? widened : [...widened, [translated]]);
}

function withAncestor(policy: Policy, shellOrigin: string): Policy {
  const ancestors = find(policy, 'frame-ancestors');
  if (ancestors === undefined) return policy;
  return replace(policy, ancestors, directive('frame-ancestors', [...withoutNone(ancestors.sources), shellOrigin]));
}

/** HTML, "the X-Frame-Options header": DENY wins, SAMEORIGIN next, several different values deny, others say nothing. */
function ancestorsOf(options: readonly string[], shellOrigin: string): Directive | undefined {
  const values = new Set(options.flatMap((text) => text.split(',')).map((text) => text.trim().toLowerCase()));
  if (values.has('deny') || (values.size > 1 && (values.has('sameorigin') || values.has('allowall'))))
    return directive('frame-ancestors', [shellOrigin]);
  return values.has('sameorigin') ? directive('frame-ancestors', ["'self'", shellOrigin]) : undefined;
}
