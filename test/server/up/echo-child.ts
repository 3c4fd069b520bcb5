/** A process as the supervisor starts them: answers each request with its own pid, the path and the body. */
import { createServer } from 'node:http';
import { runChild } from '../../../server/up/child.ts';

runChild('echo', async ({ config, token }) => {
  if (token === 'refuse') throw Object.assign(new Error('the token was refused'), { code: 'refused' });
  if (token === 'die') process.exit(3);
  const http = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => response.end(JSON.stringify({ pid: process.pid, url: request.url, body })));
  });
  return { http, info: { pid: process.pid, port: config.port }, stop: async () => undefined };
});
