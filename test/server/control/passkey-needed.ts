/** What nobody may do who came by a provider elsewhere, whichever it was. */
import assert from 'node:assert/strict';
import type { Browser } from './browser.ts';

export async function assertPasskeyNeeded(browser: Browser): Promise<void> {
  const { device } = (await browser.get('/api/session')).body;
  const refused: [string, object][] = [
    ['/api/devices/invite', {}],
    ['/api/devices/name', { device: device.id, name: 'Mine' }],
    ['/api/devices/revoke', { device: device.id }],
    ['/api/changes/begin', { change: '0'.repeat(24) }],
    ['/api/changes/refuse', { change: '0'.repeat(24) }],
  ];
  for (const [path, body] of refused) {
    const answered = await browser.postSigned(path, body);
    assert.deepEqual([answered.status, answered.body.error], [403, 'passkey_needed'], path);
  }
  assert.equal((await browser.get('/api/changes')).body.error, 'passkey_needed');
}
