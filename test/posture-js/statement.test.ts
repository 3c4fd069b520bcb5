import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserView, Signal } from '../../posture-js/signal.ts';
import { encodePosture, readPosture } from '../../posture-js/statement.ts';

const agents = {
  chrome: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
  headless:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36',
  firefox: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0',
  safari:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.4 Safari/605.1.15',
  edge: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0',
};

const hints = (version: string | undefined) => ({
  brands: [],
  platform: 'Linux',
  mobile: false,
  getHighEntropyValues: async () => (version === undefined ? {} : { platformVersion: version }),
});

async function signalsOf(view: Partial<BrowserView>): Promise<Record<string, Signal>> {
  const whole = { userAgent: '', webdriver: false, isSecureContext: true, crossOriginIsolated: false, ...view };
  const { signals } = await readPosture(whole, 1_790_000_000_000);
  return Object.fromEntries(signals.map((signal) => [signal.name, signal]));
}

const expected = [
  ['chrome', 'Chrome', 156, 'Blink', 'Linux'],
  ['headless', 'Chrome', 156, 'Blink', 'Linux'],
  ['firefox', 'Firefox', 153, 'Gecko', 'Windows'],
  ['safari', 'Safari', 26, 'WebKit', 'macOS'],
  ['edge', 'Edge', 156, 'Blink', 'Windows'],
] as const;

for (const [agent, browser, version, engine, os] of expected) {
  test(`QZ-34: names ${browser} ${version} on ${os} from its user agent`, async () => {
    const signals = await signalsOf({ userAgent: agents[agent] });
    assert.equal(signals['browser.name']?.value, browser);
    assert.equal(signals['browser.version']?.value, version);
    assert.equal(signals['engine.name']?.value, engine);
    assert.equal(signals['os.name']?.value, os);
    assert.equal(signals['browser.name']?.source, 'user-agent');
  });
}

test('QZ-34: an unknown user agent is unknown with a reason, never a pass', async () => {
  const signals = await signalsOf({ userAgent: 'curl/8.0' });
  for (const name of ['browser.name', 'browser.version', 'engine.name', 'os.name']) {
    assert.equal(signals[name]?.value, null);
    assert.equal(signals[name]?.reason, 'unrecognised');
  }
});

test('QZ-29: the system version is told by client hints, and is unknown where the browser freezes it', async () => {
  assert.equal((await signalsOf({ hints: hints('6.12.0') }))['os.version']?.value, '6.12.0');
  assert.equal((await signalsOf({ hints: hints(undefined) }))['os.version']?.reason, 'not_reported');
  assert.equal((await signalsOf({ userAgent: agents.firefox }))['os.version']?.reason, 'frozen_by_browser');
  const refusing = { ...hints('1'), getHighEntropyValues: () => Promise.reject(new Error('NotAllowedError')) };
  assert.equal((await signalsOf({ hints: refusing }))['os.version']?.reason, 'refused_by_browser');
});

test('QZ-28: what a page cannot see is unknown with the reason', async () => {
  const signals = await signalsOf({ userAgent: agents.chrome });
  for (const name of ['disk_encryption', 'screen_lock', 'anti_malware', 'firewall', 'jailbreak']) {
    assert.equal(signals[name]?.value, null);
    assert.equal(signals[name]?.reason, 'not_observable_in_a_browser');
  }
});

test('every signal carries its source and a null always carries a reason', async () => {
  for (const userAgent of [...Object.values(agents), '', 'x'.repeat(10_000)]) {
    for (const signal of Object.values(await signalsOf({ userAgent }))) {
      assert.ok(signal.source);
      assert.equal(signal.value === null, signal.reason !== undefined);
    }
  }
});

test('a statement is its JSON in UTF-8, byte for byte', async () => {
  const statement = await readPosture(
    { userAgent: '', webdriver: true, isSecureContext: true, crossOriginIsolated: false },
    5,
  );
  assert.deepEqual(JSON.parse(Buffer.from(encodePosture(statement)).toString('utf8')), statement);
  assert.equal(statement.time, 5);
});
