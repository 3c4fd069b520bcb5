import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allowsOrigin,
  exposed,
  needsPreflight,
  preflightAllows,
  unsafeNames,
} from '../../../../server/gateway/exchange/cors.ts';
import type { Header } from '../../../../server/gateway/exchange/headers.ts';

const origin = 'http://portal.apps.localhost';
const cors = (fields: Record<string, string>): Header[] =>
  Object.entries(fields).map(([name, value]) => [`access-control-${name}`, value]);

const asks: [method: string, headers: Header[], preflight: boolean][] = [
  ['GET', [], false],
  ['HEAD', [['Accept', 'x/y']], false],
  ['POST', [['content-type', 'text/plain;charset=UTF-8']], false],
  ['POST', [['content-type', 'application/json']], true],
  ['PUT', [], true],
  ['GET', [['X-Api-Key', 'k']], true],
  ['GET', [['authorization', 'Bearer t']], true],
  ['GET', [['range', 'bytes=0-9']], false],
  ['GET', [['range', 'bytes=-9']], true],
  [
    'GET',
    [
      [':dest', 'empty'],
      ['user-agent', 'x'],
      ['origin', origin],
    ],
    false,
  ],
];
for (const [method, headers, preflight] of asks)
  test(`app-access: CORS, ${method} ${JSON.stringify(headers)} is ${preflight ? '' : 'not '}asked for first`, () => {
    assert.equal(needsPreflight(method, unsafeNames(headers)), preflight);
  });

const readable: [headers: Header[], credentials: boolean, allowed: boolean][] = [
  [[], false, false],
  [cors({ 'allow-origin': '*' }), false, true],
  [cors({ 'allow-origin': origin }), false, true],
  [cors({ 'allow-origin': 'null' }), false, false],
  [cors({ 'allow-origin': `${origin}.evil.example` }), false, false],
  [[...cors({ 'allow-origin': origin }), ...cors({ 'allow-origin': '*' })], false, false],
  [cors({ 'allow-origin': '*' }), true, false],
  [cors({ 'allow-origin': '*', 'allow-credentials': 'true' }), true, false],
  [cors({ 'allow-origin': origin }), true, false],
  [cors({ 'allow-origin': origin, 'allow-credentials': 'true' }), true, true],
  [cors({ 'allow-origin': origin, 'allow-credentials': 'TRUE' }), true, false],
];
for (const [headers, credentials, allowed] of readable)
  test(`app-access: CORS, ${JSON.stringify(headers)} ${credentials ? 'with' : 'without'} credentials is ${allowed ? '' : 'not '}read`, () => {
    assert.equal(allowsOrigin(headers, { origin, credentials }), allowed);
  });

const preflights: [
  status: number,
  fields: Record<string, string>,
  method: string,
  unsafe: string[],
  credentials: boolean,
  allowed: boolean,
][] = [
  [204, { 'allow-origin': '*' }, 'PUT', [], false, false],
  [204, { 'allow-origin': '*', 'allow-methods': 'GET, PUT' }, 'PUT', [], false, true],
  [204, { 'allow-origin': '*', 'allow-methods': 'put' }, 'PUT', [], false, false],
  [204, { 'allow-origin': '*', 'allow-methods': '*' }, 'PUT', [], false, true],
  [204, { 'allow-origin': origin, 'allow-credentials': 'true', 'allow-methods': '*' }, 'PUT', [], true, false],
  [404, { 'allow-origin': '*', 'allow-methods': '*' }, 'PUT', [], false, false],
  [302, { 'allow-origin': '*', 'allow-methods': '*' }, 'PUT', [], false, false],
  [200, { 'allow-origin': '*' }, 'GET', ['x-a'], false, false],
  [200, { 'allow-origin': '*', 'allow-headers': 'X-A, x-b' }, 'GET', ['x-a', 'x-b'], false, true],
  [200, { 'allow-origin': '*', 'allow-headers': '*' }, 'GET', ['x-a'], false, true],
  [200, { 'allow-origin': '*', 'allow-headers': '*' }, 'GET', ['authorization'], false, false],
  [200, { 'allow-methods': '*', 'allow-headers': '*' }, 'GET', ['x-a'], false, false],
];
for (const [status, fields, method, unsafe, credentials, allowed] of preflights)
  test(`app-access: CORS, a preflight answered ${status} ${JSON.stringify(fields)} lets ${method} ${unsafe} ${credentials ? 'with credentials ' : ''}${allowed ? 'go' : 'not go'}`, () => {
    assert.equal(preflightAllows({ status, headers: cors(fields) }, { origin, credentials, method, unsafe }), allowed);
  });

test('app-access: CORS, a page of another app sees the safe fields and those that are exposed to it', () => {
  const all: Header[] = [
    ['content-type', 'a/b'],
    ['x-secret', '1'],
    ['x-shown', '2'],
    [':set-cookie', 'a=1'],
    ['access-control-expose-headers', 'X-Shown'],
  ];
  const names = (headers: Header[], credentials = false) =>
    exposed(headers, { origin, credentials }).map(([name]) => name);
  assert.deepEqual(names(all), ['content-type', 'x-shown']);
  const star: Header[] = [...all, ['access-control-expose-headers', '*']];
  assert.ok(names(star).includes('x-secret'));
  assert.ok(!names(star).includes(':set-cookie'));
  assert.ok(!names(star, true).includes('x-secret'));
});
