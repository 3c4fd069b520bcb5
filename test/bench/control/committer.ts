/** Commits rows without end, and prints each one's name when its commit was reported. To be killed (kill9.ts). */
import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openStore } from '../../../server/store/store.ts';

const store = await openStore(process.argv[2] ?? '');
for (;;) {
  const owner = randomUUID();
  await store
    .insertInto('spent_nonces')
    .values({ owner, nonce: new Uint8Array(1), expires_at: 1 })
    .execute();
  // At once and not by a buffer that dies with the process.
  writeSync(1, `${owner}\n`);
}
