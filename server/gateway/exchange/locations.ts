/**
 * URLs that a service writes into its headers, brought into the browser's world: its own host, or that of another
 * published app, becomes the app's public origin. Only the origin part changes; what follows stays byte for byte.
 */
import { type ExchangeContext, hostOf } from './context.ts';

const absolute = /^(https?:)?\/\/([^/?#\\]+)(.*)$/is;

/** Location, Content-Location and the like. A relative reference, or a stranger's URL, comes back as it was. */
export function publicUrl(url: string, context: ExchangeContext): string {
  const match = absolute.exec(url);
  if (match === null) return url;
  const [, scheme, host = '', rest = ''] = match;
  const origin = publicOriginOf(scheme?.slice(0, -1).toLowerCase(), host.toLowerCase(), context);
  return origin === undefined ? url : origin + rest;
}

function publicOriginOf(scheme: string | undefined, host: string, context: ExchangeContext): string | undefined {
  if (host === hostOf(context.publicOrigin)) return context.publicOrigin;
  const schemes = scheme === undefined ? [context.service.scheme] : [scheme];
  for (const candidate of schemes) {
    const found = context.publishedAt(candidate, withoutStandardPort(candidate, host));
    if (found !== undefined) return found;
  }
  // Under another scheme too: an app behind us may believe X-Forwarded-Proto, which is the public one.
  return host === context.service.upstreamHost.toLowerCase() ? context.publicOrigin : undefined;
}

/** `host:80` of http is `host`. */
export function withoutStandardPort(scheme: string, host: string): string {
  const standard = scheme === 'https' ? ':443' : ':80';
  return host.endsWith(standard) ? host.slice(0, -standard.length) : host;
}

/** Refresh: `5; url=http://…`, with or without quotes. */
export function publicRefresh(text: string, context: ExchangeContext): string {
  return text.replace(/(;\s*url\s*=\s*)(["']?)([^"']*)/i, (_, before: string, quote: string, url: string) => {
    return before + quote + publicUrl(url, context);
  });
}
