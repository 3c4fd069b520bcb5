import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitShellFrame, admitShim } from '../../../../server/gateway/exchange/csp.ts';
import type { Header } from '../../../../server/gateway/exchange/headers.ts';
import { context, values } from './support.ts';

const shimUrl = new URL('/.latchkey/shim.js', context.publicOrigin);
const csp = (...policies: string[]): Header[] => policies.map((policy) => ['content-security-policy', policy]);

/** What the page says, how the shim comes, what the page says then. `=` means unchanged. */
const scripts: [policies: string[], form: 'external' | 'inline', nonce: boolean, after: string[] | '='][] = [
  [[], 'external', false, '='],
  [["style-src 'none'"], 'external', false, '='],
  [["script-src 'self'"], 'external', false, '='],
  [["default-src 'self'; img-src *"], 'external', false, '='],
  [['script-src *'], 'external', false, '='],
  [['script-src http:'], 'external', false, '='],
  [['script-src https:'], 'external', true, ["script-src https: 'nonce-N'"]],
  [['script-src wiki.apps.localhost:8700'], 'external', false, '='],
  [['script-src wiki.apps.localhost'], 'external', true, ["script-src wiki.apps.localhost 'nonce-N'"]],
  [['script-src http://*.apps.localhost:*'], 'external', false, '='],
  [
    ['script-src http://wiki.apps.localhost:8700/js/'],
    'external',
    true,
    ["script-src http://wiki.apps.localhost:8700/js/ 'nonce-N'"],
  ],
  [['script-src http://wiki.apps.localhost:8700/.latchkey/'], 'external', false, '='],
  [["script-src 'self' 'unsafe-inline'"], 'external', false, '='],
  [["script-src 'unsafe-inline' cdn.example"], 'inline', false, '='],
  [["default-src 'unsafe-inline'"], 'inline', false, '='],
  [["script-src 'unsafe-inline' 'nonce-abc'"], 'external', true, ["script-src 'unsafe-inline' 'nonce-abc' 'nonce-N'"]],
  [
    ["script-src 'unsafe-inline' 'sha256-AAAA'"],
    'external',
    true,
    ["script-src 'unsafe-inline' 'sha256-AAAA' 'nonce-N'"],
  ],
  [
    ["script-src 'self' 'strict-dynamic' 'nonce-abc'"],
    'external',
    true,
    ["script-src 'self' 'strict-dynamic' 'nonce-abc' 'nonce-N'"],
  ],
  [["script-src 'none'"], 'external', true, ["script-src 'nonce-N'"]],
  [['script-src'], 'external', true, ["script-src 'nonce-N'"]],
  [
    ["default-src 'none'; style-src 'self'"],
    'external',
    true,
    ["default-src 'none'; style-src 'self'; script-src 'nonce-N'"],
  ],
  [["script-src 'none'; script-src-elem 'self'"], 'external', false, '='],
  [
    ["script-src 'self'; script-src-elem cdn.example"],
    'external',
    true,
    ["script-src 'self'; script-src-elem cdn.example 'nonce-N'"],
  ],
  [["SCRIPT-SRC 'SELF'"], 'external', false, '='],
  [
    ["script-src 'self', script-src cdn.example"],
    'external',
    true,
    ["script-src 'self'", "script-src cdn.example 'nonce-N'"],
  ],
  [
    ["script-src 'unsafe-inline'", "script-src 'self'"],
    'inline',
    true,
    ["script-src 'unsafe-inline'", "script-src 'self' 'nonce-N'"],
  ],
];

for (const [policies, form, nonce, after] of scripts)
  test(`BR-1: lets the shim run without loosening [${policies.join(' | ')}]`, () => {
    const before = csp(...policies);
    const result = admitShim(before, shimUrl, 'N');
    assert.equal(result.shim.form, form);
    assert.equal(result.shim.nonce, nonce ? 'N' : undefined);
    assert.deepEqual(values(result.headers, 'content-security-policy'), after === '=' ? policies : after);
  });

const shell = context.shellOrigin;
const frames: [headers: Header[], policies: string[], options: string[]][] = [
  [[], [], []],
  [csp("default-src 'self'"), ["default-src 'self'"], []],
  [csp("frame-ancestors 'none'"), [`frame-ancestors ${shell}`], []],
  [csp("frame-ancestors 'self'"), [`frame-ancestors 'self' ${shell}`], []],
  [csp("frame-ancestors 'self'; img-src *"), [`frame-ancestors 'self' ${shell}; img-src *`], []],
  [[['x-frame-options', 'DENY']], [`frame-ancestors ${shell}`], []],
  [[['x-frame-options', 'SAMEORIGIN']], [`frame-ancestors 'self' ${shell}`], []],
  [[['x-frame-options', 'sameorigin, deny']], [`frame-ancestors ${shell}`], []],
  [[['x-frame-options', 'ALLOW-FROM http://x']], [], []],
  [[['x-frame-options', 'DENY'], ...csp("frame-ancestors 'self'")], [`frame-ancestors 'self' ${shell}`], []],
  [[['x-frame-options', 'SAMEORIGIN'], ...csp('img-src *')], ['img-src *', `frame-ancestors 'self' ${shell}`], []],
  [
    csp("frame-ancestors 'self'", 'frame-ancestors *.example'),
    [`frame-ancestors 'self' ${shell}`, `frame-ancestors *.example ${shell}`],
    [],
  ],
];

for (const [headers, policies, options] of frames)
  test(`BR-1: adds the shell and nobody else as a framing page: ${JSON.stringify(headers)}`, () => {
    const result = admitShellFrame(headers, shell);
    assert.deepEqual(values(result, 'content-security-policy'), policies);
    assert.deepEqual(values(result, 'x-frame-options'), options);
  });

const own = `frame-ancestors 'self' ${shell}`;
const pages: [headers: Header[], policies: string[]][] = [
  [[], [own]],
  [csp("default-src 'self'; img-src *"), ["default-src 'self'; img-src *", own]],
  [csp("script-src 'self', img-src *"), ["script-src 'self'", 'img-src *', own]],
  [csp('frame-ancestors *'), [`frame-ancestors * ${shell}`]],
  [[['x-frame-options', 'DENY']], [`frame-ancestors ${shell}`]],
];

for (const [headers, policies] of pages)
  test(`QHX-6: a page that says nothing of framing is framed by itself and the shell only: ${JSON.stringify(headers)}`, () => {
    assert.deepEqual(values(admitShellFrame(headers, shell, true), 'content-security-policy'), policies);
  });
