/** Appends events as fast as it can and says of each when it is on disk. Runs until it is killed. */
import { Spool } from '../../../../server/gateway/state/spool.ts';
import { someEvent } from '../world/authority.ts';

const spool = new Spool(process.argv[2] ?? '');

async function writer(name: string): Promise<void> {
  for (let n = 0; ; n++) {
    const event = someEvent({ detail: { writer: name, n } });
    await spool.append(event);
    process.stdout.write(`${event.id}\n`);
  }
}

void Promise.all(['a', 'b', 'c'].map(writer));
