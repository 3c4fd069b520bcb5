/** nginx as the README sets it up: the block of that page, with what a configuration of its own needs around it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from '../../../server/tls/certificate-files.ts';
import { appsDomain, hubHost } from './deployment.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/deployment.md'), 'utf8');

/** The snippet that operators copy is the one that is tested. */
export function nginxConfiguration({ hub, apps }: { hub: CertificateFiles; apps: CertificateFiles }): string {
  const snippet = /```nginx\n([\s\S]+?)```/.exec(page)?.[1];
  if (snippet === undefined) throw new Error('the page has no nginx snippet');
  const places = {
    'hub.example.com': hubHost,
    'apps.example.net': appsDomain,
    '/etc/letsencrypt/live/hub/fullchain.pem': hub.certificate,
    '/etc/letsencrypt/live/hub/privkey.pem': hub.key,
    '/etc/letsencrypt/live/apps/fullchain.pem': apps.certificate,
    '/etc/letsencrypt/live/apps/privkey.pem': apps.key,
  };
  const filled = Object.entries(places).reduce((text, [name, value]) => text.replaceAll(name, value), snippet);
  return `pid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${filled}}\n`;
}
