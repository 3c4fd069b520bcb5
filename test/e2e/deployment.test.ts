/** A real deployment, end to end across network namespaces, with TLS of our own and behind nginx (README, "A real deployment"). */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { needsNamespaces } from '../support/namespace.ts';
import { appsDomain, Deployment, hubHost } from './support/deployment.ts';
import { nginxConfiguration } from './support/nginx.ts';
import { type Person, statusOf } from './support/person.ts';

interface Report {
  readonly ok: boolean;
  readonly findings: readonly { check: string; verdict: string; message: string; advice?: string }[];
}

/** What doctor objects to, in a namespace. */
async function objections(deployment: Deployment, where: 'server' | 'browser', ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await deployment.doctor(deployment[where], ...args);
  assert.notEqual(stdout, '', stderr);
  const { ok, findings } = JSON.parse(stdout) as Report;
  assert.equal(code, ok ? 0 : 1);
  for (const { verdict, advice } of findings) assert.equal(advice === undefined, verdict === 'ok');
  return findings.filter(({ verdict }) => verdict !== 'ok').map(({ check, verdict }) => `${verdict} ${check}`);
}

/** Enrols, opens the wiki behind WireGuard and looks at where everything comes from. */
async function useIt(deployment: Deployment, person: Person): Promise<void> {
  const { product } = deployment;
  assert.equal(product.ready.hub, `https://${hubHost}/`);
  await person.enrol(product.ready.enrol ?? '');
  const [cookie] = (await person.context.cookies()).filter(({ name }) => name.includes('lease'));
  assert.deepEqual(
    [cookie?.name, cookie?.secure, cookie?.httpOnly, cookie?.sameSite, cookie?.domain],
    ['__Host-latchkey_lease', true, true, 'Strict', hubHost],
  );
  const { shell, app } = await person.open('Team wiki');
  assert.equal(new URL(shell.url()).origin, `https://shell.${appsDomain}`);
  assert.equal(new URL(app.url()).origin, `https://wiki.${appsDomain}`);
  await app.getByRole('heading', { name: 'GettingStarted' }).waitFor();
  await shell.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (document.title.includes('My TiddlyWiki')) resolve();
        };
        new MutationObserver(look).observe(document.head, { subtree: true, childList: true, characterData: true });
        look();
      }),
  );
}

suite('TLS of our own', needsNamespaces, () => {
  let deployment: Deployment;
  let person: Person;
  before(async () => {
    deployment = await Deployment.make();
    const tls = await deployment.certificates();
    await deployment.start({ bind: '0.0.0.0', port: 443, demo: false, tls, contact: 'help@corp-access.test' });
    person = await deployment.person();
  });
  after(async () => {
    await person?.[Symbol.asyncDispose]();
    await deployment?.[Symbol.asyncDispose]();
  });

  test('BR-8: a browser in another network opens a service in a third, over WebTransport, under certificates of two domains', async () => {
    await useIt(deployment, person);
    const shell = person.context.pages().find((page) => page.url().includes('/open/'));
    assert.ok(shell);
    await shell.locator('[role=status][data-transport=webtransport]').waitFor();
    assert.equal((await statusOf(shell)).transport, 'webtransport');
  });

  test('BR-8: doctor finds nothing on the server and nothing from the browser’s network', async () => {
    assert.deepEqual(await objections(deployment, 'server'), []);
    assert.deepEqual(await objections(deployment, 'browser', '--remote'), []);
  });

  test('BR-8: doctor finds UDP that is blocked on the way, and the tunnel goes over WebSocket', async () => {
    deployment.browser.exec(
      'nft',
      'add table inet block; add chain inet block out { type filter hook output priority 0; }',
    );
    deployment.browser.exec('nft', 'add rule inet block out udp dport 443 drop');
    try {
      assert.deepEqual(await objections(deployment, 'browser', '--remote'), ['fail udp']);
      const { shell } = await person.open('Field notes');
      assert.equal((await statusOf(shell)).transport, 'websocket');
    } finally {
      deployment.browser.exec('nft', 'delete table inet block');
    }
  });

  test('BR-8: doctor finds a certificate of a wrong name, an expired one, one without a wildcard, and a key that does not match', async () => {
    const { authority } = deployment;
    const good = await deployment.certificates();
    const cases = [
      [{ hub: await authority.issue('wrong', { names: ['other.test'] }) }, 'fail certificate.hub.name'],
      [{ hub: await authority.issue('expired', { names: [hubHost], from: -90, to: -1 }) }, 'fail certificate.hub.time'],
      [{ hub: await authority.issue('early', { names: [hubHost], from: 1 }) }, 'fail certificate.hub.time'],
      [{ hub: await authority.issue('soon', { names: [hubHost], to: 3 }) }, 'warn certificate.hub.time'],
      [{ apps: await authority.issue('single', { names: [`shell.${appsDomain}`] }) }, 'fail certificate.apps.name'],
      [{ apps: { ...good.apps, key: good.hub.key } }, 'fail certificate.apps.files'],
    ] as const;
    for (const [changed, expected] of cases) {
      deployment.configure({ bind: '0.0.0.0', port: 443, tls: { ...good, ...changed } });
      assert.deepEqual(await objections(deployment, 'server'), [expected]);
    }
    deployment.configure({ bind: '0.0.0.0', port: 443, tls: good });
  });

  test('BR-8: a renewed certificate is served without a restart, to people who are in the middle of something', async () => {
    const { chain } = await served(deployment);
    const renewed = await deployment.authority.issue('renewed', { names: [hubHost], to: 60 });
    const { hub } = await deployment.certificates();
    copyFileSync(renewed.certificate, hub.certificate);
    copyFileSync(renewed.key, hub.key);
    const deadline = performance.now() + 60_000;
    while ((await served(deployment)).chain === chain) {
      assert.ok(performance.now() < deadline, 'the old one is served for ever');
      await pause(500);
    }
    const shell = person.context.pages().find((page) => page.url().includes('/open/'));
    assert.match((await shell?.locator('[role=status]').getAttribute('data-state')) ?? '', /^(open|rekeying)$/);
  });
});

/** The hub's certificate as a client in the server's network is shown it. */
async function served(deployment: Deployment): Promise<{ chain: string }> {
  const connect = `echo | openssl s_client -connect 127.0.0.1:443 -servername ${hubHost} 2>/dev/null | openssl x509 -noout -fingerprint`;
  return { chain: deployment.server.exec('sh', '-c', connect) };
}

suite('behind nginx', needsNamespaces, () => {
  let deployment: Deployment;
  let person: Person;
  const settings = {
    port: 8700,
    publicPort: 443,
    scheme: 'https',
    trustedProxies: ['127.0.0.1/32'],
    udp: { bind: '0.0.0.0', port: 443 },
    demo: false,
  };
  before(async () => {
    deployment = await Deployment.make();
    await deployment.startNginx(nginxConfiguration(await deployment.certificates()));
    await deployment.start(settings);
    person = await deployment.person();
  });
  after(async () => {
    await person?.[Symbol.asyncDispose]();
    await deployment?.[Symbol.asyncDispose]();
  });

  test('BR-8: nginx ends TLS, tunnels go over WebTransport beside it and over WebSocket through it', async () => {
    await useIt(deployment, person);
    assert.deepEqual(await objections(deployment, 'server'), []);
    assert.deepEqual(await objections(deployment, 'browser', '--remote'), []);
  });

  test('BR-8: a proxy that nobody trusts is not believed: no page without TLS, no tunnel', () => {
    const ask = (header = 'X-Nothing: here', ...more: string[]): string =>
      deployment.server.exec(
        ...(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}'] as const),
        ...['-H', `Host: ${hubHost}`, '-H', header, ...more, 'http://127.0.0.1:8700/'],
      );
    assert.equal(ask(), `308 https://${hubHost}/`);
    assert.equal(ask('X-Forwarded-Proto: https'), '200 ');
    // Another address of loopback, which is not in trustedProxies.
    assert.equal(ask('X-Forwarded-Proto: https', '--interface', '127.0.0.2'), `308 https://${hubHost}/`);
  });
});
