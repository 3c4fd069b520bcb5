/** Whether a certificate is the right one now: its time, its names, its key. */
import type { X509Certificate } from 'node:crypto';
import type { Config } from '../config.ts';
import { type CertificateFiles, isPublic, readPair, TlsError } from '../tls/certificate-files.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** ACME clients renew a month ahead; whoever has not two weeks ahead has stopped to. */
const soonMs = 14 * 86_400_000;

export interface Expected {
  /** Goes before the name of each check. */
  readonly check: string;
  /** Where it was found, as a sentence begins. */
  readonly where: string;
  readonly names: readonly string[];
}

/** The configured files. @param now ms since the epoch. */
export function checkFiles({ tls, hubHost, appsDomain }: Config, now: number): Finding[] {
  if (tls === undefined) return [];
  return [
    ...checkPair(
      tls.hub,
      { check: 'certificate.hub', where: `The certificate ${tls.hub.certificate}`, names: [hubHost] },
      now,
    ),
    ...checkPair(
      tls.apps,
      { check: 'certificate.apps', where: `The certificate ${tls.apps.certificate}`, names: appNames(appsDomain) },
      now,
    ),
    checkAuthority(tls),
  ];
}

/** The shell, and any name at all: only a wildcard covers that. */
export function appNames(appsDomain: string): string[] {
  return [`shell.${appsDomain}`, `any-service.${appsDomain}`];
}

function checkPair(files: CertificateFiles, expected: Expected, now: number): Finding[] {
  try {
    return judge(readPair(files).chain[0], expected, now);
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const advice =
      error.code === 'key_mismatch'
        ? 'Name the key that the certificate was requested with; they are renewed together.'
        : 'Name a file in PEM that this user may read.';
    return [fail(`${expected.check}.files`, error.message, advice)];
  }
}

/** A leaf, wherever it was found. */
export function judge(leaf: X509Certificate, { check, where, names }: Expected, now: number): Finding[] {
  const [from, to] = [leaf.validFromDate.getTime(), leaf.validToDate.getTime()];
  const findings = [checkTime(), ...names.flatMap(checkName)];
  const bad = findings.filter(({ verdict }) => verdict !== 'ok');
  return bad.length > 0 ? bad : [ok(check, `${where} is good for ${names.join(' and ')} until ${leaf.validTo}.`)];

  function checkTime(): Finding {
    const renew = 'Renew it, and see why it was not renewed by itself; the new file is taken without a restart.';
    if (now < from)
      return fail(
        `${check}.time`,
        `${where} is not valid before ${leaf.validFrom}.`,
        'Check the clock of this machine.',
      );
    if (now >= to) return fail(`${check}.time`, `${where} expired at ${leaf.validTo}.`, renew);
    return to - now < soonMs
      ? warn(`${check}.time`, `${where} expires soon, at ${leaf.validTo}.`, renew)
      : ok(check, '');
  }

  function checkName(name: string): Finding[] {
    if (leaf.checkHost(name) !== undefined) return [];
    const wildcard = `*.${name.split('.').slice(1).join('.')}`;
    return check.endsWith('apps')
      ? [
          fail(
            `${check}.name`,
            `${where} does not cover ${name}.`,
            `Get one for ${wildcard}: each service has a name of its own.`,
          ),
        ]
      : [fail(`${check}.name`, `${where} is not for ${name}.`, `Get one for ${name}.`)];
  }
}

/** What WebTransport is served with, since it is the one thing a private authority changes. */
function checkAuthority(tls: NonNullable<Config['tls']>): Finding {
  const check = 'certificate.webtransport';
  let isKnown: boolean;
  try {
    isKnown = isPublic(readPair(tls.apps));
  } catch {
    return ok(check, 'WebTransport waits for a certificate that can be served.');
  }
  if (tls.webTransport === 'certificate' && !isKnown)
    return warn(
      check,
      'WebTransport is served with a certificate of a private authority, which Chromium does not take for QUIC.',
      'Set tls.webTransport: auto, which names the certificate by its hash.',
    );
  return ok(
    check,
    `WebTransport is served with ${isKnown && tls.webTransport !== 'hashes' ? 'that certificate' : 'one that is named by its hash'}.`,
  );
}
