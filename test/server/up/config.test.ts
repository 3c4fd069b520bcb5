import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, loadConfig, origins } from '../../../server/config.ts';

function withFile(text: string, run: (file: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-config-'));
  const file = join(folder, 'latchkey.yaml');
  try {
    writeFileSync(file, text);
    run(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('defaults are the documented ones', () => {
  const config = loadConfig({ data: 'x' });
  assert.equal(config.port, 8700);
  assert.equal(config.wireguard.port, 51_820);
  assert.deepEqual([config.timers.rekeyAfterS, config.timers.rejectAfterS, config.timers.credentialS], [120, 180, 600]);
  assert.equal(origins.hub(config), 'http://hub.localhost:8700');
  assert.equal(origins.app(config, 'wiki'), 'http://wiki.apps.localhost:8700');
});

test('the file is read, the environment is above it and flags above both', () => {
  withFile('port: 1\nwireguard:\n  port: 2\ntimers:\n  rekeyAfterS: 5\n', (file) => {
    assert.equal(loadConfig({ file }).port, 1);
    process.env['LATCHKEY_PORT'] = '3';
    process.env['LATCHKEY_WIREGUARD_PORT'] = '4';
    try {
      const config = loadConfig({ file });
      assert.deepEqual([config.port, config.wireguard.port, config.timers.rekeyAfterS], [3, 4, 5]);
      assert.equal(loadConfig({ file, port: 6 }).port, 6);
    } finally {
      delete process.env['LATCHKEY_PORT'];
      delete process.env['LATCHKEY_WIREGUARD_PORT'];
    }
  });
});

const bad: Record<string, [text: string, names: RegExp]> = {
  'a misspelt key': ['prot: 1', /prot/],
  'a port out of range': ['port: 70000', /port/],
  'a word for a number': ['timers:\n  rekeyAfterS: soon', /timers\.rekeyAfterS/],
  'a scheme of its own': ['scheme: gopher', /scheme/],
  'no YAML': ['a: [', /YAML/],
  'a driver of the system without its interface': ['wireguard:\n  driver: system', /wireguard\.interface/],
  'an overlap that no timer waits for': ['wireguard:\n  keyOverlapS: 2147484', /keyOverlapS.*two weeks/],
  'a renewal that no timer waits for': ['wireguard:\n  pskRenewS: 2147484', /pskRenewS.*two weeks/],
  'a command for an interface': ['wireguard:\n  driver: system\n  interface: wg0; id', /wireguard\.interface/],
};
for (const [name, [text, names]] of Object.entries(bad)) {
  test(`QPT-9: refuses ${name} by naming it`, () => {
    withFile(text, (file) => {
      assert.throws(
        () => loadConfig({ file }),
        (error: ConfigError) => error instanceof ConfigError && names.test(error.message),
      );
    });
  });
}

test('refuses a named file that does not exist', () => {
  assert.throws(() => loadConfig({ file: '/nonexistent/latchkey.yaml' }), { code: 'config_invalid' });
});
