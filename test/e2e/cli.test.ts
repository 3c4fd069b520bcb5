/** The command line against a running installation: what it prints, and how it fails. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { send } from './support/node-api.ts';
import { type Outcome, Product, runCli } from './support/product.ts';

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64');
const secret = 'correct-horse-battery';

let product: Product;
const folder = mkdtempSync(join(tmpdir(), 'latchkey-cli-'));

before(async () => {
  product = await Product.start();
  await product.cliJson('service', 'add', 'taken', 'http://demo.wg');
  await product.cliJson('wg', 'add-peer', '--public-key', key(1), '--allowed-ips', '10.60.0.0/16', '--name', 'known');
});
after(async () => {
  await product?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Tests of policies, as `policy test` takes them. */
const cases = `
people: { ada: [admins] }
services: { wiki: {} }
cases:
  - { name: admins open, person: ada, service: wiki, expect: allow }
`;

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** Runs commands a few at a time; a process for each takes longer than what it does. */
async function each<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await run(item);
  };
  await Promise.all([worker(), worker(), worker()]);
}

function assertNoTrace({ stdout, stderr }: Outcome, command: string): void {
  assert.doesNotMatch(stdout + stderr, /^\s+at |node:internal|\.ts:\d+/m, `${command} printed a stack`);
  assert.ok(!(stdout + stderr).includes(secret), `${command} printed a secret`);
}

/** A failure as a script gets it. */
function failureOf(outcome: Outcome, command: string): string {
  assertNoTrace(outcome, command);
  assert.notEqual(outcome.code, 0, command);
  assert.equal(outcome.stdout, '', command);
  assert.match(outcome.stderr, /^\{[^\n]*\}\n$/, `${command} did not print one line of JSON: ${outcome.stderr}`);
  const { error, message } = JSON.parse(outcome.stderr) as { error: string; message: string };
  assert.match(message, /^\S[^\n]{10,300}\.$/, command);
  return error;
}

test('every command answers with --json by one JSON object', async () => {
  const permits = file('good.cedar', 'permit (principal in Group::"admins", action, resource);');
  await each(
    [
      ['service', 'list'],
      ['service', 'add', 'one', 'http://demo.wg', '--title', 'Number one'],
      ['service', 'set', 'taken', '--cors-from', 'one'],
      ['wg', 'show'],
      [
        'wg',
        'add-peer',
        '--public-key',
        key(2),
        '--allowed-ips',
        '10.61.0.0/16,fd61::/64',
        '--endpoint',
        '192.0.2.1:51820',
      ],
      ['user', 'list'],
      ['user', 'add', 'Someone', '--group', 'field'],
      ['pins'],
      ['rotate', '--dry-run'],
      ['policy', 'apply', permits],
      ['policy', 'check', permits],
      ['policy', 'show'],
      ['change', 'list'],
      ['policy', 'explain', '--user', 'Administrator', '--service', 'taken'],
      ['policy', 'simulate', permits, '--since', '1h'],
      ['policy', 'test', file('cases.yaml', cases), '--policies', permits],
      ['audit', 'verify'],
      ['audit', 'list', '--type', 'admin'],
      ['audit', 'export', join(folder, 'audit.ndjson')],
      ['config'],
    ],
    async (args) => {
      const outcome = await product.cli(...args, '--json');
      assert.deepEqual([outcome.code, outcome.stderr], [0, ''], args.join(' '));
      assert.equal(typeof JSON.parse(outcome.stdout), 'object');
      assert.match(outcome.stdout, /^[^\n]+\n$/);
    },
  );
  // From the installation's files, and what its hub says.
  const { fingerprint } = await product.cliJson('pins');
  const told = await send(product.ready.port, { host: 'hub.localhost', path: '/.well-known/latchkey/pins' });
  assert.equal((JSON.parse(told.text) as { fingerprint: string }).fingerprint, fingerprint);
  const lines = readFileSync(join(folder, 'audit.ndjson'), 'utf8').trimEnd().split('\n');
  const positions = lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
  assert.deepEqual(positions.slice(0, 3), [1, 2, 3]);
  assert.equal(positions.at(-1), positions.length);
  assert.equal(statSync(join(folder, 'audit.ndjson')).mode & 0o777, 0o600);
  assert.deepEqual(await product.cliJson('service', 'remove', 'one'), {});
  assert.deepEqual(await product.cliJson('wg', 'remove-peer', key(2)), {});
});

test('QHX-6: a check and a test of policies that fail report everything, and exit with a code', async () => {
  const broken = file(
    'broken.cedar',
    'permit (principal in Team::"a", action, resource);\nforbid (principal, action, x);',
  );
  const check = await product.cli('policy', 'check', broken, '--json');
  assert.equal(check.code, 1);
  const [fault] = JSON.parse(check.stdout).faults;
  assert.deepEqual([fault.code, fault.line, JSON.parse(check.stderr).error], ['policy_syntax', 2, 'policy_syntax']);
  const plain = await product.cli('policy', 'check', broken);
  assert.match(plain.stdout, /broken\.cedar:2:\d+: Cedar cannot read the policies/);
  const failing = await product.cli('policy', 'test', file('cases.yaml', cases), '--policies', file('none.cedar', ''));
  assert.equal(failing.code, 1);
  assert.equal(failing.stdout, 'FAIL  admins open: wanted allow, got deny by default-deny\n0 passed.\n');
  assert.equal(failing.stderr, 'latchkey: 1 of 1 tests failed.\n');
});

test('QHX-8: policies that let everybody in are not put in force by one person, and the exit code says so', async () => {
  const wide = file('wide.cedar', 'permit (principal, action, resource);');
  const outcome = await product.cli('policy', 'apply', wide);
  assert.equal(outcome.code, 3);
  const id = /change ([0-9a-f]{24})\.$/m.exec(outcome.stdout)?.[1] ?? '';
  const { changes } = await product.cliJson('change', 'list');
  assert.deepEqual(
    (changes as { id: string }[]).map((one) => one.id),
    [id],
  );
  const { policies } = await product.cliJson('policy', 'show');
  assert.ok(!JSON.stringify(policies).includes('permit (principal, action'));
  assert.deepEqual(await product.cliJson('change', 'refuse', id), {});
});

test('what a command answers is what there is', async () => {
  const { services } = await product.cliJson('service', 'list');
  const [taken] = services as { name: string; url: string; wireguardKey: string }[];
  assert.deepEqual([taken?.name, taken?.url], ['taken', 'http://demo.wg']);
  const shown = await product.cliJson('wg', 'show');
  assert.deepEqual([shown['publicKey'], shown['port']], Object.values(product.ready.wireguard).toReversed());
  const peers = shown['peers'] as { publicKey: string; name: string }[];
  assert.ok(peers.some(({ publicKey, name }) => publicKey === key(1) && name === 'known'));
  const { fingerprint } = await product.cliJson('pins');
  assert.equal(fingerprint, new URL(product.ready.enrol ?? '').hash.split('.')[1]);
  const grouped = Buffer.from(String(fingerprint), 'base64url')
    .toString('hex')
    .replaceAll(/(.{4})(?=.)/g, '$1 ');
  assert.equal((await product.cli('pins')).stdout, `${grouped}\n`, 'as the hub shows it');
  const plain = await product.cli('service', 'list');
  assert.match(plain.stdout, /^NAME +URL +WIREGUARD PEER\ntaken +http:\/\/demo\.wg +\S{44}\n$/);
});

test('app-access: a probe of the demo service tells what it uses and that it needs no setting', async () => {
  const report = await product.cliJson('service', 'probe', 'taken');
  const [start] = report['visited'] as { target: string; status: number; type: string }[];
  assert.deepEqual([start?.target, start?.status, start?.type], ['/', 200, 'text/html']);
  assert.deepEqual(report['settings'], {});
  const { stdout, stderr, code } = await product.cli('service', 'probe', 'taken');
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(
    stdout,
    /^taken: \d+ answers, \d+ KiB read; the first page was answered 200\.\n(?:.*\n)*It needs no setting\.\n$/,
  );
  const traits = (report['findings'] as { trait: string }[]).map(({ trait }) => trait);
  for (const trait of traits) assert.match(stdout, new RegExp(`^${trait}: `, 'm'));
});

test('bad input to any command is a code, one sentence and a non-zero exit', async () => {
  const add = (...more: string[]) => ['service', 'add', ...more];
  const peer = (...more: string[]) => [
    'wg',
    'add-peer',
    '--public-key',
    key(3),
    '--allowed-ips',
    '10.62.0.0/16',
    ...more,
  ];
  const elsewhere = ['--data', join(folder, 'nothing-here')];
  await each<[string, string[]]>(
    [
      ['service_exists', add('taken', 'http://demo.wg')],
      ['name_malformed', add('Not_A_Name', 'http://demo.wg')],
      ['name_reserved', add('shell', 'http://demo.wg')],
      ['url_scheme', add('new', 'gopher://demo.wg')],
      ['url_scheme', add('new', 'demo.wg')],
      ['url_malformed', add('new', `http://somebody:${secret}@demo.wg`)],
      ['url_malformed', add('new', `http://demo.wg/?token=${secret}`)],
      ['url_host', add('new', 'http://elsewhere.example')],
      ['url_port', add('new', 'tcp://demo.wg')],
      ['unreachable_host', add('new', 'http://10.99.0.1')],
      ['connector_unknown', add('new', 'http://ghost.wg')],
      ['service_unknown', ['service', 'remove', 'ghost']],
      ['service_unknown', ['service', 'set', 'ghost', '--host', 'upstream']],
      ['usage', ['service', 'set', 'taken', '--host', 'elsewhere']],
      ['nothing_to_set', ['service', 'set', 'taken']],
      ['name_malformed', ['service', 'set', 'taken', '--cors-from', '*']],
      ['service_unknown', ['service', 'probe', 'ghost']],
      ['usage', ['service', 'probe']],
      ['key_malformed', ['wg', 'add-peer', '--public-key', 'c2hvcnQ=', '--allowed-ips', '10.62.0.0/16']],
      ['allowed_ips_malformed', ['wg', 'add-peer', '--public-key', key(3), '--allowed-ips', '10.62.0.0/33']],
      ['allowed_ips_malformed', ['wg', 'add-peer', '--public-key', key(3), '--allowed-ips', '']],
      ['allowed_ips_overlap', ['wg', 'add-peer', '--public-key', key(3), '--allowed-ips', '10.60.7.0/24']],
      ['endpoint_malformed', peer('--endpoint', 'somewhere')],
      ['endpoint_malformed', peer('--endpoint', '192.0.2.1:70000')],
      ['peer_exists', ['wg', 'add-peer', '--public-key', key(1), '--allowed-ips', '10.62.0.0/16']],
      ['peer_exists', peer('--name', 'known')],
      ['key_unreadable', peer('--preshared-key-file', join(folder, 'no-such-file'))],
      ['key_malformed', peer('--preshared-key-file', file('psk', secret))],
      ['peer_unknown', ['wg', 'remove-peer', key(4)]],
      ['user_malformed', ['user', 'add', '']],
      ['user_malformed', ['user', 'add', 'Bell\u0007']],
      ['user_malformed', ['user', 'add', 'Somebody', '--group', 'Not A Group']],
      ['policy_unreadable', ['policy', 'apply', join(folder, 'no-such-file')]],
      ['policy_syntax', ['policy', 'apply', file('syntax.cedar', 'permit (principal, action')]],
      ['policy_invalid', ['policy', 'apply', file('name.cedar', 'permit (principal in Team::"a", action, resource);')]],
      ['policy_id', ['policy', 'apply', file('id.cedar', '@id("default-deny") permit (principal, action, resource);')]],
      [
        'policy_template',
        ['policy', 'apply', file('template.cedar', 'permit (principal == ?principal, action, resource);')],
      ],
      ['policy_unreadable', ['policy', 'test', join(folder, 'no-such-file')]],
      ['cases_malformed', ['policy', 'test', file('list.yaml', '[1, 2')]],
      ['cases_malformed', ['policy', 'test', file('cases.yaml', cases)]],
      ['change_unknown', ['change', 'refuse', 'nothing']],
      ['usage', ['policy', 'explain', '--service', 'taken']],
      ['user_unknown', ['policy', 'explain', '--user', 'Nobody', '--service', 'taken']],
      ['usage', ['policy', 'explain', '--user', 'Someone', '--service', 'taken', '--at', 'noon']],
      ['policy_unreadable', ['policy', 'simulate', join(folder, 'no-such-file')]],
      ['usage', ['policy', 'simulate', file('none.cedar', ''), '--limit', 'all']],
      ['config_invalid', ['config', '--config', join(folder, 'no-such-file')]],
      ['config_invalid', ['config', '--config', file('typo.yaml', 'prot: 8700\n')]],
      ['config_invalid', ['config', '--config', file('list.yaml', 'port: [1, 2]\n')]],
      ['config_invalid', ['config', '--config', file('no.yaml', 'port: [1, 2\n')]],
      ['not_running', ['service', 'list', ...elsewhere]],
      ['audit_unreadable', ['audit', 'verify', ...elsewhere]],
      ['file_unwritable', ['audit', 'export', join(folder, 'no-such-folder', 'x')]],
      ['not_running', ['audit', 'export', join(folder, 'unwritten'), ...elsewhere]],
      ['malformed', ['audit', 'list', '--device', '%']],
      ['usage', ['audit', 'list', '--since-posture']],
      ['already_running', ['up', '--port', '0']],
      ['usage', ['service', 'add', 'only-a-name']],
      ['usage', ['wg', 'add-peer', '--public-key', key(3)]],
      ['usage', peer('--persistent-keepalive', 'often')],
      ['usage', ['up', '--port', '70000']],
      ['usage', ['service', 'list', '--no-such-option']],
      ['usage', ['no-such-command']],
      ['usage', ['service']],
    ],
    async ([code, args]) => {
      const where = args.includes('--data') ? [] : ['--data', product.data];
      const command = args.join(' ');
      assert.equal(failureOf(await runCli([...args, '--json', ...where]), command), code, command);
    },
  );
});

test('without --json a failure is one sentence for people', async () => {
  await each(
    [
      ['service', 'add', 'taken', 'http://demo.wg'],
      ['wg', 'remove-peer', key(4)],
      ['audit', 'verify', '--data', join(folder, 'nothing-here')],
    ],
    async (args) => {
      const outcome = await (args.includes('--data') ? runCli(args) : product.cli(...args));
      assertNoTrace(outcome, args.join(' '));
      assert.equal(outcome.stdout, '');
      assert.match(outcome.stderr, /^latchkey: [A-Z][^\n]+\.\n$/);
      assert.notEqual(outcome.code, 0);
    },
  );
});

test('a second installation in the same folder, or on the same port, is refused and disturbs nothing', async () => {
  const twice = await runCli(['up', '--json', '--data', product.data, '--port', '0']);
  assert.equal(failureOf(twice, 'up'), 'already_running');
  const other = await runCli(['up', '--json', '--data', join(folder, 'other'), '--port', String(product.ready.port)]);
  assert.equal(failureOf(other, 'up'), 'port_in_use');
  assert.deepEqual(await product.cliJson('service', 'list').then(({ services }) => (services as unknown[]).length), 1);
});

test('a key that a command was given in a file is stored and never shown', async () => {
  const psk = key(7);
  const options = [
    '--public-key',
    key(8),
    '--allowed-ips',
    '10.63.0.0/16',
    '--preshared-key-file',
    file('good-psk', `${psk}\n`),
  ];
  const added = await product.cli('wg', 'add-peer', ...options, '--json');
  const shown = await product.cli('wg', 'show', '--json');
  assert.deepEqual([added.code, shown.code], [0, 0]);
  for (const { stdout, stderr } of [added, shown]) assert.ok(!(stdout + stderr).includes(psk));
  assert.ok(!product.log.includes(psk));
});
