/** What a SAML response may be: a real provider's is believed, and every hostile one is refused for its own reason. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ApiError } from '../../../server/control/api-error.ts';
import { certificatesOf } from '../../../server/control/saml/certificates.ts';
import { SamlProvider } from '../../../server/control/saml/provider.ts';
import { SamlError } from '../../../server/control/saml/saml-error.ts';
import { samlSchema } from '../../../server/saml-settings.ts';
import { persistent, SamlIdentityProvider, signingKeys, type Tags } from '../../support/saml-provider.ts';

const acs = 'http://hub.localhost:8700/saml/acs';
const metadata = 'http://hub.localhost:8700/saml/metadata';
const requestId = `_${'a'.repeat(40)}`;
const flow = { requestId, relayState: 'x', begunAt: Date.now() };
const folder = mkdtempSync(join(tmpdir(), 'saml-'));
const certificateFile = join(folder, 'provider.pem');

let provider: SamlIdentityProvider;
let saml: SamlProvider;
before(async () => {
  provider = await SamlIdentityProvider.start({ acs, entityId: metadata });
  writeFileSync(certificateFile, provider.keys.certificate);
  saml = client();
});
after(async () => {
  await provider.stop();
  rmSync(folder, { recursive: true });
});

function client(more: object = {}): SamlProvider {
  const { issuer, entryPoint } = provider;
  const settings = samlSchema.parse({ name: 'Example', issuer, entryPoint, certificateFile, ...more });
  return new SamlProvider(settings, { acs, metadata });
}

const encode = (xml: string) => Buffer.from(xml).toString('base64');
const verify = (xml: string, by = saml) => by.verify(encode(xml), flow, Date.now());

/** Why a response was not believed. */
async function refusal(encoded: string, by = saml, now = Date.now()): Promise<string> {
  try {
    const { subject } = await by.verify(encoded, flow, now);
    return `believed to be ${subject}`;
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 'saml_refused', String(error));
    assert.ok(error.cause instanceof SamlError);
    assert.ok(!JSON.stringify(error.cause).includes('mallory'), 'repeats what was sent');
    return error.cause.code;
  }
}

describe('what is believed', () => {
  test('QZ-24: a signed assertion names who signed in, how, when, for how long and in which groups', async () => {
    provider.groups = ['staff', 'mail & post'];
    const identity = await verify(await provider.respond({ id: requestId }, 'ada', {}));
    provider.groups = [];
    const { authenticatedAt, until = 0, ...said } = identity;
    assert.deepEqual(said, {
      ...{ issuer: provider.issuer, subject: 'ada', sid: '_session', amr: [], groups: ['staff', 'mail & post'] },
      acr: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    });
    assert.ok(authenticatedAt < Date.now() && until > Date.now());
  });
  test('a whole response may be signed as well, and by SHA-512 where that is asked for', async () => {
    const whole = await provider.respond({ id: requestId }, 'ada', {}, { wholeToo: true });
    assert.equal(whole.match(/<ds:Signature /g)?.length, 2);
    assert.equal((await verify(whole)).subject, 'ada');
    const algorithm = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512';
    const stronger = await provider.respond({ id: requestId }, 'ada', {}, { algorithm });
    assert.equal((await verify(stronger, client({ signatureAlg: 'rsa-sha512' }))).subject, 'ada');
    assert.equal(await refusal(encode(stronger)), 'algorithm', 'where another is asked for');
  });
  test('of two certificates in the file either signs; lines of base64 may be broken', async () => {
    const file = join(folder, 'two.pem');
    writeFileSync(file, (await signingKeys()).certificate + provider.keys.certificate);
    const xml = await provider.respond({ id: requestId }, 'ada');
    const lines = encode(xml).replaceAll(/.{76}/g, '$&\r\n');
    assert.equal((await client({ certificateFile: file }).verify(lines, flow, Date.now())).subject, 'ada');
  });
  test('a real provider reads our request, and our metadata says where answers go', async () => {
    const url = await client({ authnContext: ['urn:test:mfa'], forceAuthn: true }).begin(flow, Date.now());
    assert.ok(url.href.startsWith(provider.entryPoint));
    assert.deepEqual(await provider.read(url.href), { id: requestId, relayState: 'x' });
    const text = saml.metadata();
    for (const said of [`entityID="${metadata}"`, `Location="${acs}"`, 'WantAssertionsSigned="true"', persistent])
      assert.ok(text.includes(said), said);
  });
});

describe('what a provider signs and is not for us', () => {
  const past = new Date(Date.now() - 120_000).toISOString();
  const future = new Date(Date.now() + 120_000).toISOString();
  const longAgo = new Date(Date.now() - 9 * 3_600_000).toISOString();
  const wrong: [string, Tags, string][] = [
    ['for another audience', { Audience: 'https://other.example' }, 'audience'],
    ['for another recipient', { Recipient: 'https://other.example/acs' }, 'recipient'],
    ['sent to another destination', { Destination: 'https://other.example/acs' }, 'destination'],
    ['in answer to another request', { InResponseTo: '_other', SubjectInResponseTo: '_other' }, 'in_response_to'],
    ['whose subject answers another request', { SubjectInResponseTo: '_other' }, 'in_response_to'],
    ['whose subject answers no request', { SubjectInResponseTo: '' }, 'in_response_to'],
    ['that nobody asked for', { InResponseTo: '', SubjectInResponseTo: '' }, 'in_response_to'],
    ['that has expired', { NotOnOrAfter: past }, 'expired'],
    ['whose confirmation has expired', { ConfirmationEnd: past }, 'expired'],
    ['that is not valid yet', { NotBefore: future }, 'not_yet_valid'],
    ['of a sign-in that is too old', { AuthnInstant: longAgo }, 'too_old'],
    ['of a sign-in that is still to come', { AuthnInstant: future }, 'authn_instant'],
    ['of a session that has ended', { SessionNotOnOrAfter: past }, 'too_old'],
    ['of another issuer', { AssertionIssuer: 'https://evil.example' }, 'issuer'],
    ['of a holder of a key', { Method: 'urn:oasis:names:tc:SAML:2.0:cm:holder-of-key' }, 'assertion'],
    ['with a transient name', { NameIDFormat: persistent.replace('persistent', 'transient') }, 'name_format'],
    ['with a name of two lines', { NameID: 'ada\nroot' }, 'assertion'],
    ['with a name that turns round', { NameID: 'ada\u202e' }, 'assertion'],
    ['without a name', { NameID: '' }, 'assertion'],
    ['with a time that is none', { AuthnInstant: 'today' }, 'assertion'],
    ['with a time of no zone', { AuthnInstant: '2026-01-01T00:00:00' }, 'assertion'],
    ['that says no', { StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }, 'status'],
  ];
  for (const [what, tags, code] of wrong)
    test(`QZ-10: one ${what} is refused as ${code}`, async () => {
      assert.equal(await refusal(encode(await provider.respond({ id: requestId }, 'ada', tags))), code);
    });
  test('QZ-10: it is our clock that says whether one is valid', async () => {
    const xml = encode(await provider.respond({ id: requestId }, 'ada', {}));
    const now = Date.now();
    assert.equal(await refusal(xml, saml, now), 'believed to be ada');
    assert.equal(await refusal(xml, saml, now + 400_000), 'expired');
    assert.equal(await refusal(xml, saml, now - 400_000), 'not_yet_valid');
  });
  test('QZ-10: with several audience restrictions each has to name us, of several audiences one', async () => {
    const both = `${metadata}</saml:Audience><saml:Audience>https://other.example`;
    const apart = both.replace('><', '></saml:AudienceRestriction><saml:AudienceRestriction><');
    const of = async (audience: string) => encode(await provider.respond({ id: requestId }, 'ada', {}, { audience }));
    assert.equal(await refusal(await of(both)), 'believed to be ada');
    assert.equal(await refusal(await of(apart)), 'audience');
  });
  const at = (ms: number) => new Date(flow.begunAt + ms).toISOString();
  const context = 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport';
  const asked: [string, object, Tags, string][] = [
    ['before it was asked for', { forceAuthn: true }, { AuthnInstant: at(-60_001) }, 'force_authn'],
    ['within what clocks may differ', { forceAuthn: true }, { AuthnInstant: at(-60_000) }, 'believed to be ada'],
    ['of another class', { authnContext: ['urn:test:mfa'] }, {}, 'authn_context'],
    ['of a class that begins like it', { authnContext: [`${context}x`] }, {}, 'authn_context'],
    ['of one of the classes', { authnContext: ['urn:test:mfa', context] }, {}, 'believed to be ada'],
  ];
  for (const [what, settings, tags, answer] of asked)
    test(`QZ-10: where ${JSON.stringify(settings)} is set, a sign-in ${what}: ${answer}`, async () => {
      const xml = await provider.respond({ id: requestId }, 'ada', tags);
      assert.equal(await refusal(encode(xml), client(settings)), answer);
    });
  test('QZ-10: one signed by SHA-1 is refused, though its signature is right', async () => {
    const algorithm = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1';
    assert.equal(
      await refusal(encode(await provider.respond({ id: requestId }, 'ada', {}, { algorithm }))),
      'algorithm',
    );
  });
  test('QZ-10: one signed by another key is refused, whatever certificate it brings', async () => {
    const other = await SamlIdentityProvider.start({ acs, entityId: metadata });
    const as = { AssertionIssuer: provider.issuer, Issuer: provider.issuer };
    const forged = await other.respond({ id: requestId }, 'mallory', as);
    await other.stop();
    assert.ok(forged.includes('X509Certificate'));
    assert.equal(await refusal(encode(forged)), 'signature');
  });
});

describe('what was done to a response on its way', () => {
  let xml: string;
  let assertion: string;
  let signature: string;
  before(async () => {
    xml = await provider.respond({ id: requestId }, 'ada');
    assertion = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(xml)?.[0] ?? '';
    signature = /<ds:Signature [\s\S]*<\/ds:Signature>/.exec(assertion)?.[0] ?? '';
    assert.ok(assertion.length > 500 && signature.length > 500);
    assert.equal((await verify(xml)).subject, 'ada');
  });
  /** The assertion as its attacker would have it: without a signature, of another name. @param id another one, where it is said */
  const evil = (id?: string) => {
    const unsigned = assertion.replace(signature, '').replace('>ada<', '>mallory<');
    return id === undefined ? unsigned : unsigned.replace(/ ID="[^"]+"/, ` ID="${id}"`);
  };
  const unsigned = () => assertion.replace(signature, '');
  const inside = (outer: string, what: string) => outer.replace(/<\/saml:Assertion>$/, `${what}</saml:Assertion>`);
  const inSignature = (what: string) =>
    signature.replace(/<\/ds:Signature>$/, `<ds:Object>${what}</ds:Object></ds:Signature>`);
  const withSignature = (outer: string, sign: string) => outer.replace('</saml:Issuer>', `</saml:Issuer>${sign}`);

  /** Somorovsky et al., "On Breaking SAML", USENIX Security 2012: XSW3 to XSW8, with the evil assertion's ID new and kept. */
  const wrapped: [string, (id: string | undefined) => string][] = [
    ['XSW3: an assertion before the signed one', (id) => xml.replace(assertion, evil(id) + assertion)],
    ['an assertion after the signed one', (id) => xml.replace(assertion, assertion + evil(id))],
    ['XSW4: an assertion round the signed one', (id) => xml.replace(assertion, inside(evil(id), assertion))],
    [
      'XSW5: the signature moved into the other assertion, the signed one at the end',
      (id) => xml.replace(assertion, withSignature(evil(id), signature) + unsigned()),
    ],
    [
      'XSW6: the signed one within the signature that was moved',
      (id) =>
        xml.replace(
          assertion,
          withSignature(evil(id), signature.replace('</ds:Signature>', `${unsigned()}</ds:Signature>`)),
        ),
    ],
    [
      'XSW7: the other one in an extension',
      (id) => xml.replace(assertion, `<samlp:Extensions>${evil(id)}</samlp:Extensions>${assertion}`),
    ],
    [
      'XSW8: the signed one in an object of the signature',
      (id) => xml.replace(assertion, withSignature(evil(id), inSignature(unsigned()))),
    ],
    [
      'the signed one in the status, of the other one the signature',
      (id) => xml.replace(assertion, evil(id)).replace('</samlp:Status>', `${assertion}</samlp:Status>`),
    ],
    ['the signed one in a name', (id) => xml.replace(assertion, evil(id).replace('mallory', `mallory${assertion}`))],
    [
      'the other one in another namespace',
      (id) =>
        xml.replace(
          assertion,
          `${evil(id).replaceAll('saml:', 'x:').replace(' ID', ' xmlns:x="urn:x" ID')}${assertion}`,
        ),
    ],
    ['two signatures in one assertion', () => xml.replace(assertion, withSignature(assertion, signature))],
    [
      'the signature outside of the assertion',
      () => xml.replace(assertion, unsigned()).replace('<samlp:Status>', `${signature}<samlp:Status>`),
    ],
  ];
  for (const [what, of] of wrapped)
    test(`QZ-10: signature wrapping, ${what}, is refused`, async () => {
      for (const id of [undefined, '_evil']) assert.equal(await refusal(encode(of(id))), 'structure', `${id}`);
    });
  test('QZ-10: signature wrapping of a signed response (XSW1, XSW2) is refused', async () => {
    const whole = await provider.respond({ id: requestId }, 'ada', {}, { wholeToo: true });
    const signed = /<ds:Signature [\s\S]*?<\/ds:Signature>/.exec(whole)?.[0] ?? '';
    const original = whole.replace(signed, '');
    const copy = original.replace('>ada<', '>mallory<');
    const put = (sign: string) => copy.replace('</saml:Issuer>', `</saml:Issuer>${sign}`);
    for (const evilResponse of [
      put(signed.replace(/<\/ds:Signature>$/, `<ds:Object>${original}</ds:Object></ds:Signature>`)),
      put(`${original}${signed}`),
      put(`${signed}${original}`),
    ]) {
      assert.equal(await refusal(encode(evilResponse)), 'structure');
      const renamed = evilResponse.replace(/ID="_response[^"]+"/, 'ID="_evil"');
      assert.equal(await refusal(encode(renamed)), 'structure');
    }
    const outer = whole.replace('Version="2.0"', 'Version="2.0" Consent="urn:x"');
    assert.equal(await refusal(encode(outer)), 'signature', 'a signature of the whole that is there has to be right');
  });

  const replaced = (from: string | RegExp, to: string) => () => {
    const changed = xml.replace(from, to);
    assert.notEqual(changed, xml);
    return changed;
  };
  const markup: [string, () => string, string][] = [
    ['another name', replaced('>ada<', '>mallory<'), 'signature'],
    ['no signature', () => xml.replace(signature, ''), 'structure'],
    ['an empty signature', replaced(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'), 'signature'],
    ['a document type', () => `<!DOCTYPE r [<!ENTITY e "mallory">]>${xml.replace('>ada<', '>&e;<')}`, 'markup'],
    ['a document type in small letters', () => `<!doctype r>${xml}`, 'markup'],
    ['a document type from elsewhere', () => `<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x">${xml}`, 'markup'],
    ['a document type after the declaration', () => `<?xml version="1.0"?>\n<!DOCTYPE r>${xml}`, 'markup'],
    ['a comment in the name', replaced('>ada<', '>ada<!---->.mallory<'), 'markup'],
    ['CDATA', replaced('>ada<', '><![CDATA[ada]]><'), 'markup'],
    ['a processing instruction', replaced('>ada<', '>ada<?x y?><'), 'markup'],
    ['an entity of its own', replaced('>ada<', '>&e;<'), 'xml'],
    ['a byte order mark', () => `\ufeff${xml}`, 'markup'],
    ['a NUL', replaced('>ada<', '>ada\0<'), 'signature'],
    ['text before', () => `x${xml}`, 'markup'],
    ['text after', () => `${xml}x`, 'markup'],
    ['a second root', () => `${xml}${xml}`, 'xml'],
    ['nothing in it', () => '', 'encoding'],
    ['no XML', () => 'mallory', 'markup'],
    ['an end that is missing', () => xml.slice(0, xml.lastIndexOf('</saml:Assertion>') + 17), 'xml'],
    ['an attribute twice', replaced('Version="2.0"', 'Version="2.0" Version="2.0"'), 'xml'],
    ['another root', () => xml.replaceAll('samlp:Response', 'samlp:LogoutResponse'), 'structure'],
    ['another version', replaced('Version="2.0"', 'Version="1.1"'), 'structure'],
    ['an encrypted assertion', replaced('<saml:Assertion', '<saml:EncryptedAssertion/><saml:Assertion'), 'encrypted'],
    ['an HMAC', replaced(/xmldsig-more#rsa-sha256/, 'xmldsig-more#hmac-sha256'), 'algorithm'],
    [
      'a digest by SHA-1',
      replaced('http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2000/09/xmldsig#sha1'),
      'algorithm',
    ],
    [
      'a transform by XPath',
      replaced(
        'http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>',
        'http://www.w3.org/TR/1999/REC-xpath-19991116"/></ds:Transforms>',
      ),
      'algorithm',
    ],
    [
      'a canonical form with comments',
      replaced(/(<ds:CanonicalizationMethod Algorithm="[^"]*)/, '$1WithComments'),
      'algorithm',
    ],
    ['a reference to everything', replaced(/Reference URI="[^"]*"/, 'Reference URI=""'), 'structure'],
    ['a reference by XPointer', replaced(/Reference URI="#/, 'Reference URI="#xpointer(/)'), 'structure'],
    ['an id that is spelled otherwise', replaced('<samlp:Status>', '<samlp:Status id="_x" xml:id="_x">'), 'structure'],
  ];
  for (const [what, of, code] of markup)
    test(`QZ-10: one with ${what} is refused as ${code}`, async () => {
      assert.equal(await refusal(encode(of())), code);
    });

  test('QZ-10: what is no base64, no UTF-8, too long, too deep or of too many tags is refused before it costs anything', async () => {
    const utf16 = Buffer.from(`\ufeff${xml}`, 'utf16le').toString('base64');
    for (const encoded of ['%', 'a=b', '<xml/>', Buffer.from([0xff, 0xfe, 0xfd]).toString('base64'), utf16])
      assert.equal(await refusal(encoded), 'encoding');
    assert.equal(await refusal(encode(`<a>${'x'.repeat(100_000)}</a>`)), 'encoding');
    assert.equal(await refusal(encode(`<a>${'<a/>'.repeat(3_000)}</a>`)), 'too_much');
    assert.equal(await refusal(encode(`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`)), 'too_much');
  });
  test('QZ-10: no byte of what is signed can be another one, unless all that is read stays the same', async () => {
    const now = Date.now();
    const right = await saml.verify(encode(xml), flow, now);
    const signedInfo = /<ds:SignedInfo[\s\S]*<\/ds:SignedInfo>/.exec(signature)?.[0] ?? '';
    const from = xml.indexOf(assertion);
    const [begin, end] = [xml.indexOf(signature), xml.indexOf(signature) + signature.length];
    const inInfo = xml.indexOf(signedInfo);
    const isSigned = (at: number) => at < begin || at >= end || (at >= inInfo && at < inInfo + signedInfo.length);
    let [tried, refused] = [0, 0];
    for (let at = from; at < from + assertion.length; at += 1) {
      if (!isSigned(at)) continue;
      const other = xml[at] === 'a' ? 'b' : 'a';
      const changed = encode(xml.slice(0, at) + other + xml.slice(at + 1));
      tried += 1;
      try {
        assert.deepEqual(await saml.verify(changed, flow, now), right, `byte ${at - from}`);
      } catch (error) {
        assert.ok(error instanceof ApiError && error.code === 'saml_refused', String(error));
        refused += 1;
      }
    }
    assert.ok(tried > 1_500, `${tried}`);
    // The parser mends the end of a closing tag; what is signed and read is the same then.
    assert.ok(tried - refused <= 2, `${tried - refused} taken`);
  });
});

describe('settings and certificates that would be weaker than they look', () => {
  const right = {
    name: 'Example',
    issuer: 'https://login.example/metadata',
    entryPoint: 'https://login.example/sso',
    certificateFile: '/etc/provider.pem',
  };
  const settings: [object, RegExp][] = [
    [{ entryPoint: 'http://login.example/sso' }, /https/],
    [{ entryPoint: 'https://user:secret@login.example/' }, /https/],
    [{ entryPoint: 'javascript:alert(1)' }, /https/],
    [{ issuer: '' }, /URI/],
    [{ signatureAlg: 'rsa-sha1' }, /SHA-1/],
    [{ signatureAlg: 'hmac-sha256' }, /SHA-1/],
    [{ nameIdFormat: 'transient' }, /transient/],
    [{ signedAssertions: false }, /anybody/],
    [{ inResponseTo: false }, /nobody asked/],
    [{ audience: false }, /another service/],
    [{ certificate: 'here' }, /certificate/],
    [{ name: 'two\nlines' }, /one line/],
  ];
  for (const [change, reason] of settings)
    test(`QZ-24: ${JSON.stringify(change)} is refused with the reason`, () => {
      const parsed = samlSchema.safeParse({ ...right, ...change });
      assert.match(parsed.error?.issues[0]?.message ?? 'taken', reason);
    });
  test('the right ones are taken', () => assert.ok(samlSchema.safeParse(right).success));

  const weakness = (pem: string) => {
    const read = certificatesOf(pem, Date.now());
    return 'weakness' in read ? read.weakness : 'taken';
  };
  test('QZ-24: a certificate that is weak, expired or none is refused with the reason', async () => {
    assert.match(weakness(''), /holds no certificate/);
    assert.match(weakness('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'), /cannot be read/);
    assert.match(weakness((await signingKeys(1_024)).certificate), /2048/);
    const expired = (await signingKeys(2_048, new Date(Date.now() - 1_000))).certificate;
    assert.match(weakness(expired), /expired/);
    assert.equal(weakness(expired + provider.keys.certificate), 'taken');
    const missing = client({ certificateFile: join(folder, 'nowhere.pem') });
    await assert.rejects(missing.begin(flow, Date.now()), { code: 'saml_weak', message: /holds no certificate/ });
  });
});
