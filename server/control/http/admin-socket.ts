/** The admin API's socket: a file that only the owner of the data folder may open. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { ApiApp } from './respond.ts';

/** Binds the socket with mode 0600; a stale file of an earlier process is replaced. */
export async function listenAdmin(path: string, app: ApiApp): Promise<Server> {
  const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false, hostname: 'admin' }));
  rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}
