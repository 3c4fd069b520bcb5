/** Redis Commander: a tree of keys that is asked for bit by bit, over a real Redis. */
import { testRealApp } from './harness/test-real-app.ts';

testRealApp({
  name: 'redis-commander',
  start: async (place) => {
    const port = String(await place.freePort());
    place.spawn('/usr/bin/redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--dir', place.folder]);
    const program = place.installed('redis-commander/bin/redis-commander.js');
    const redis = ['--redis-host', '127.0.0.1', '--redis-port', port, '--nosave', '--no-log-data'];
    place.spawn(process.execPath, [program, ...redis, '--address', '127.0.0.1', '--port', String(place.port)], {
      env: { NODE_CONFIG_DIR: place.installed('redis-commander/config') },
    });
    await place.answers();
  },
  visit: async (page) => {
    await page.see('#keyTree .jstree-leaf:has-text("local")');
    await page.look('opened');
  },
  mayDiffer: [
    { part: 'dom', pattern: /(?<=127\.0\.0\.1:)\d+/g, why: 'the Redis of each visit has a port of its own' },
    { part: 'request', pattern: /(?<=127\.0\.0\.1%3A)\d+/, why: 'as above' },
    {
      part: 'console',
      pattern: /^Blocked autofocusing on a <input> element in a cross-origin subframe\..*$/,
      why: 'a page in a frame does not take the focus by itself',
    },
  ],
});
