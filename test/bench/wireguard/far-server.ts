/**
 * The far side's web server, a process in the far namespace: `GET /N` answers N bytes, `POST /` swallows the body and
 * answers its length. Says "listening" once it does; the one argument is the address.
 */
import { createServer } from 'node:http';

const piece = Buffer.alloc(1_048_576, 'latchkey');

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    request.on('end', () => response.end(String(length)));
    return;
  }
  let left = Number(request.url?.slice(1));
  response.setHeader('content-length', left);
  const more = (): void => {
    while (left > 0) {
      const chunk = piece.subarray(0, left);
      left -= chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
});
// The pauses between rounds are not the server's to end.
server.keepAliveTimeout = 0;
server.listen(80, process.argv[2], () => console.log('listening'));
