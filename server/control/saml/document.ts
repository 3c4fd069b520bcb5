/**
 * A SAML response as a browser brought it (SAML 2.0 Bindings, section 3.5): decoded, parsed, and held to the one form that is
 * taken, before the library looks at a signature (provider.ts). Attacks on SAML live in what XML allows and no provider
 * needs: document types, comments, a second assertion, a signature over another place than the one that is read. None of it
 * passes here, so the library has nothing left to be clever about. Nothing here is believed; that takes the signature.
 */
import { DOMParser } from '@xmldom/xmldom';
import { SamlError } from './saml-error.ts';

const namespace = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;
const success = 'urn:oasis:names:tc:SAML:2.0:status:Success';
const canonical = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const transforms = ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', canonical];
const digests = ['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512'];

/** Of a response with 256 groups there are some 40 KB and 700 tags. The parser's time grows with the square of the tags. */
const maxBytes = 96 * 1_024;
const maxTags = 2_048;
const maxDepth = 32;

export interface SamlDocument {
  readonly xml: string;
  /** Whether the whole response carries a signature beside the assertion's. */
  readonly isResponseSigned: boolean;
}

/** What the response has to be for us. */
export interface Expected {
  /** Where browsers bring responses to. */
  readonly acs: string;
  readonly requestId: string;
  /** Algorithm URI of signatures. */
  readonly signatureAlg: string;
}

/** @param encoded base64 as in the form. @throws SamlError */
export function readResponse(encoded: string, expected: Expected): SamlDocument {
  const xml = decode(encoded);
  const response = parse(xml);
  const elements = [...elementsOf(response)];
  checkIds(elements);
  const assertion = checkShape(response, elements);
  checkAddressing(response, expected);
  const signatures = elements.filter(({ localName }) => localName === 'Signature');
  for (const signature of signatures) checkSignature(signature, [response, assertion], expected.signatureAlg);
  const signed = signatures.map(({ parentNode }) => parentNode);
  if (new Set(signed).size !== signed.length || !signed.includes(assertion)) throw new SamlError('structure');
  return { xml, isResponseSigned: signed.includes(response) };
}

/**
 * `<!` begins a document type, a comment or CDATA and can begin nothing else: a `<` in text is `&lt;`. So all three are
 * gone before anything is parsed, and with the document type every entity.
 */
function decode(encoded: string): string {
  const joined = encoded.replaceAll(/[\r\n]/g, '');
  if (joined.length > maxBytes || !/^[A-Za-z0-9+/]+={0,2}$/.test(joined)) throw new SamlError('encoding');
  const xml = utf8Of(Buffer.from(joined, 'base64'));
  const element = xml.replace(/^<\?xml [^<>?]*\?>/, '');
  if (element.includes('<!') || element.includes('<?')) throw new SamlError('markup');
  if (!/^[ \t\r\n]*</.test(element) || !/>[ \t\r\n]*$/.test(element)) throw new SamlError('markup');
  if (xml.split('<').length > maxTags) throw new SamlError('too_much');
  return xml;
}

/** In another encoding a `<!` would look otherwise; a byte order mark is kept, for the parser to refuse. */
function utf8Of(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new SamlError('encoding', { cause: error });
  }
}

/** The parser mends what is malformed and warns of it: whatever it warns of is refused. */
function parse(xml: string): Element {
  const errorHandler = () => {
    throw new SamlError('xml');
  };
  try {
    const root = new DOMParser({ errorHandler }).parseFromString(xml, 'text/xml').documentElement as Element | null;
    if (root !== null) return root;
  } catch (error) {
    throw error instanceof SamlError ? error : new SamlError('xml', { cause: error });
  }
  throw new SamlError('xml');
}

/** In document order, without recursion. */
function* elementsOf(root: Element): Generator<Element> {
  const queue: [Element, number][] = [[root, 1]];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const [element, depth] = next;
    if (depth > maxDepth) throw new SamlError('too_much');
    yield element;
    queue.push(...childrenOf(element).map((child): [Element, number] => [child, depth + 1]));
  }
}

function childrenOf(element: Element): Element[] {
  const children: Element[] = [];
  for (let child = element.firstChild; child !== null; child = child.nextSibling)
    if (child.nodeType === 1) children.push(child as Element);
  return children;
}

/** A signature names what it covers by its ID, however an ID is spelled. */
function checkIds(elements: readonly Element[]): void {
  const ids = elements.flatMap((element) =>
    Array.from(element.attributes).flatMap(({ localName, name, value }) =>
      (localName ?? name).toLowerCase() === 'id' ? [value] : [],
    ),
  );
  if (new Set(ids).size !== ids.length) throw new SamlError('structure');
}

/** One response, and in it, nowhere else, one assertion: of that name in no other namespace either. @returns the assertion */
function checkShape(response: Element, elements: readonly Element[]): Element {
  const named = (name: string) => elements.filter(({ localName }) => localName === name);
  if (!isA(response, 'protocol', 'Response') || named('Response').length !== 1) throw new SamlError('structure');
  checkStatus(response);
  if (named('EncryptedAssertion').length > 0) throw new SamlError('encrypted');
  const [assertion, ...others] = named('Assertion');
  if (assertion === undefined || others.length > 0) throw new SamlError('structure');
  if (!isA(assertion, 'assertion', 'Assertion') || assertion.parentNode !== response) throw new SamlError('structure');
  return assertion;
}

function checkStatus(response: Element): void {
  const [status] = childrenOf(response).filter((child) => isA(child, 'protocol', 'Status'));
  const [code] = status === undefined ? [] : childrenOf(status);
  if (code === undefined || !isA(code, 'protocol', 'StatusCode')) throw new SamlError('structure');
  if (code.getAttribute('Value') !== success) throw new SamlError('status');
}

/** Said outside the assertion, so perhaps by nobody who signed: the assertion says it again (assertion.ts). */
function checkAddressing(response: Element, { acs, requestId }: Expected): void {
  if (response.getAttribute('Version') !== '2.0') throw new SamlError('structure');
  if (response.hasAttribute('Destination') && response.getAttribute('Destination') !== acs)
    throw new SamlError('destination');
  if (response.getAttribute('InResponseTo') !== requestId) throw new SamlError('in_response_to');
}

/** A signature stands in what it covers, covers all of it and nothing else, by algorithms that hold. */
function checkSignature(signature: Element, mayCarry: readonly Element[], signatureAlg: string): void {
  const parent = mayCarry.find((element) => element === signature.parentNode);
  if (parent === undefined || !isA(signature, 'signature', 'Signature')) throw new SamlError('structure');
  const [info, value, keyInfo, ...more] = childrenOf(signature);
  const hasForm =
    isA(info, 'signature', 'SignedInfo') && isA(value, 'signature', 'SignatureValue') && more.length === 0;
  if (!hasForm || (keyInfo !== undefined && !isA(keyInfo, 'signature', 'KeyInfo'))) throw new SamlError('structure');
  const [canonicalization, method, reference, ...others] = childrenOf(info);
  if (others.length > 0 || !isA(reference, 'signature', 'Reference')) throw new SamlError('structure');
  const id = parent.getAttribute('ID') ?? '';
  if (id === '' || reference.getAttribute('URI') !== `#${id}`) throw new SamlError('structure');
  requireAlgorithm(canonicalization, 'CanonicalizationMethod', [canonical]);
  requireAlgorithm(method, 'SignatureMethod', [signatureAlg]);
  checkReference(reference);
}

function checkReference(reference: Element): void {
  const [list, digest, value, ...others] = childrenOf(reference);
  if (!isA(list, 'signature', 'Transforms') || !isA(value, 'signature', 'DigestValue') || others.length > 0)
    throw new SamlError('structure');
  const steps = childrenOf(list);
  if (steps.length !== transforms.length) throw new SamlError('structure');
  for (const [index, step] of steps.entries()) requireAlgorithm(step, 'Transform', transforms.slice(index, index + 1));
  requireAlgorithm(digest, 'DigestMethod', digests);
}

function requireAlgorithm(element: Element | undefined, name: string, allowed: readonly string[]): void {
  if (!isA(element, 'signature', name)) throw new SamlError('structure');
  if (!allowed.includes(element.getAttribute('Algorithm') ?? '')) throw new SamlError('algorithm');
}

function isA(element: Element | undefined, of: keyof typeof namespace, name: string): element is Element {
  return element !== undefined && element.namespaceURI === namespace[of] && element.localName === name;
}
