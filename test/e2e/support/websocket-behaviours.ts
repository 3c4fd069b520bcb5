/**
 * What a page or a worker can see of WebSocket, one row each: the things that web-platform-tests checks under websockets/
 * (websockets/wpt.ts tells which row is for which of its files), asked in our own words.
 * A row's outcome is plain data, or the name of what it threw.
 */
import { construction } from './websockets/construction.ts';
import { endings, events } from './websockets/events.ts';
import { handshake } from './websockets/handshake.ts';
import { helpers, type Rows } from './websockets/helpers.ts';
import { messages } from './websockets/messages.ts';

export const behaviours: Rows = { ...construction, ...events, ...messages, ...handshake, ...endings };

/** A script that gives its realm `runBehaviours()`: an outcome for each row. */
export function behavioursScript(): string {
  const texts = (table: object) => Object.entries(table).map(([name, run]) => `${JSON.stringify(name)}: ${run}`);
  return `globalThis.runBehaviours = async () => {
    ${Object.entries(helpers)
      .map(([name, run]) => `const ${name} = ${run};`)
      .join('\n')}
    const rows = { ${texts(behaviours).join(',\n')} };
    const outcomes = {};
    for (const [name, run] of Object.entries(rows)) {
      const slow = new Promise((resolve) => setTimeout(resolve, 30_000, 'no end'));
      try { outcomes[name] = (await Promise.race([run(), slow])) ?? null; }
      catch (error) { outcomes[name] = error.name; }
      self.dispatchEvent(new Event('row-over'));
    }
    return outcomes;
  };`;
}
