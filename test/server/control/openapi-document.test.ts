/** The document that the pages' client is typed by is the one the hub serves. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Installation } from './installation.ts';

const file = join(import.meta.dirname, '../../../web/admin/openapi.d.ts');

/** A document is a type as it stands: JSON's values are TypeScript's literal types. */
const head = `/** The hub's OpenAPI document, as a type. Made by LATCHKEY_WRITE_OPENAPI=1 npm test -- test/server/control/openapi-document.test.ts */\nexport type HubDocument = `;

test('web/admin/openapi.d.ts is the OpenAPI document of the hub', async () => {
  const installation = await new Installation().start();
  try {
    const { body } = await installation.browse(installation.hub, { path: '/api/openapi.json' });
    const text = `${head}${JSON.stringify(body, null, 1)};\n`;
    if (process.env['LATCHKEY_WRITE_OPENAPI'] === '1') writeFileSync(file, text);
    assert.equal(readFileSync(file, 'utf8'), text, 'it is another one now; write it anew as its first line says');
  } finally {
    await installation.stop();
    installation.remove();
  }
});
