/**
 * Every refusal of the HTTP API: a stable code, its status, and one sentence that says what happened and what to do.
 * Nothing of the request is repeated, except where the caller of the admin socket is told what it wrote wrongly.
 */
import { newCorrelation } from './identifiers.ts';

const answers = {
  malformed: [400, 'The request is not what this address takes. Reload the page and try again.'],
  length_required: [411, 'A request with a body has to say its length.'],
  too_large: [413, 'The request is larger than this address takes.'],
  not_found: [404, 'There is nothing at this address.'],
  method_not_allowed: [405, 'This address does not take that method.'],
  misdirected: [421, 'This server does not serve that host. Open the hub instead.'],
  foreign_origin: [403, 'This request did not come from the page it belongs to.'],
  rate_limited: [429, 'Too many attempts. Wait a minute and try again.'],
  not_built: [503, 'The pages of this installation are not built yet. Run "npm run build" and reload.'],
  no_gateway: [503, 'No gateway is connected. Try again in a moment.'],
  internal: [500, 'Something failed here. Try again; if it fails again, tell your administrator the id below.'],

  enrolment_unknown: [404, 'This enrolment link is not known. Ask your administrator for a new one.'],
  enrolment_used: [410, 'This enrolment link was used already. Ask your administrator for a new one.'],
  enrolment_expired: [410, 'This enrolment link has expired. Ask your administrator for a new one.'],
  device_unknown: [404, 'This browser is not enrolled, or its access was taken away. Ask for an enrolment link.'],
  device_replaced: [
    403,
    'Your access was recovered in another browser, which took this one’s place. If that was not you, tell your administrator at once.',
  ],
  device_waits: [403, 'Your administrator has to approve this device first. Ask them, then sign in.'],
  device_known: [409, 'This passkey or browser is enrolled already. Sign in instead.'],
  ceremony_unknown: [410, 'This attempt took too long or was made already. Start again.'],
  ceremony_refused: [403, 'The passkey could not be verified. Start again, with the passkey of this site.'],
  device_signature: [403, 'The signature of this browser is not right. Start again.'],
  posture_invalid: [403, 'The report on this device was altered or is not readable. Reload the page and try again.'],
  posture_stale: [403, 'The report on this device is too old. Check the clock of this device and open the hub again.'],

  link_unknown: [404, 'This link is not known. Open the whole link, or ask whoever gave it to you for a new one.'],
  link_used: [410, 'This link was used already. Ask whoever gave it to you for a new one.'],
  link_expired: [410, 'This link has expired. Ask whoever gave it to you for a new one.'],
  link_revoked: [410, 'This link was withdrawn. Ask whoever gave it to you for a new one.'],
  link_recipient: [403, 'This link is for another e-mail address. Use the address it was sent to.'],
  link_malformed: [
    400,
    'A link needs 1 to 32 services, a life of at most 366 days, 1 to 10000 uses, hours as 08:00-18:00, a time zone.',
  ],
  link_too_many: [409, 'There are too many live links. Revoke some that are not needed.'],
  knock_needed: [403, 'Somebody has to let you in first. Knock and wait.'],
  knock_refused: [403, 'You were not let in. Ask whoever gave you the link.'],
  knock_unknown: [404, 'Nobody of that name is at the door any more.'],

  unauthenticated: [401, 'You are not signed in. Sign in with the passkey of this device.'],
  passkey_needed: [403, 'This takes the passkey of this device. Sign in with it and try again.'],
  oidc_off: [404, 'There is no sign-in provider here. Sign in with the passkey of this device.'],
  oidc_unreachable: [503, 'The sign-in provider does not answer. Try again, or use the passkey of this device.'],
  oidc_weak: [503, 'The sign-in provider is not set up safely. Use the passkey of this device.'],
  oidc_refused: [403, 'The sign-in provider did not say who you are. Start again.'],
  oidc_acr: [403, 'Your sign-in at the provider was not strong enough. Sign in there in a stronger way.'],
  saml_off: [404, 'There is no sign-in provider here. Sign in with the passkey of this device.'],
  saml_weak: [503, 'The sign-in provider is not set up safely. Use the passkey of this device.'],
  saml_refused: [403, 'The sign-in provider did not say who you are. Start again.'],
  idp_unlinked: [403, 'Nobody here has that account. Sign in with your passkey, then connect it.'],
  idp_other: [403, 'That account belongs to somebody else here. Use your own.'],
  signature_invalid: [401, 'This request is not signed by the device that is signed in. Sign in again.'],
  request_stale: [401, 'The clock of this device is more than a minute off. Set it and try again.'],
  request_replayed: [409, 'This request was made already.'],

  service_unknown: [404, 'There is no such service. Choose one from the hub.'],
  denied: [403, 'No policy lets you open this service from this device. Ask your administrator for access.'],
  session_key_used: [409, 'This session key was used already. Open the service again.'],
  session_signature: [403, 'The session key did not sign this launch. Open the service again.'],
  lease_ended: [401, 'Your access to this service has ended. Sign in on the hub and open it again.'],

  admin_passkey: [403, 'Administrators sign in with the passkey of an enrolled device. Sign in with yours.'],
  role_needed: [403, 'This is the duty of another role. Ask whoever runs this installation for it.'],
  group_needed: [
    403,
    'Whoever is in that group may open every service. Only somebody who may as well puts others there, or makes their links.',
  ],
  session_unknown: [404, 'There is no such session.'],
  receipt_unknown: [404, 'There is no such receipt.'],
  user_unknown: [404, 'There is no such person.'],
  user_malformed: [
    400,
    'A person needs a name of 1 to 64 printable characters; a group is lower-case letters, digits, dashes.',
  ],
  service_exists: [409, 'A service of this name exists already. Remove it first or choose another name.'],
  title_malformed: [400, 'A title is 1 to 128 printable characters.'],
  name_malformed: [400, 'A service name is 1 to 63 lower-case letters, digits and dashes, and becomes a host name.'],
  label_malformed: [400, 'Namespaces and labels are 1 to 63 lower-case letters, digits and dashes; at most 32 labels.'],
  name_reserved: [400, 'This name belongs to Latchkey itself. Choose another one.'],
  url_malformed: [400, 'The URL of a service is scheme://host[:port][/path], without credentials, query or fragment.'],
  url_scheme: [400, 'The scheme of a service is one of http, https, tcp, ssh, vnc, rdp.'],
  url_host: [400, 'The host of a service is an IP address inside the data plane, or <connector>.wg.'],
  url_port: [400, 'A tcp service needs a port.'],
  unreachable_host: [409, 'No WireGuard peer carries this address. Add a peer whose allowed IPs cover it.'],
  connector_unknown: [409, 'There is no connector or peer of that name.'],
  probe_kind: [409, 'Only http and https services can be probed.'],
  probe_busy: [409, 'Another probe is under way. Try again in a moment.'],
  probe_unreachable: [502, 'Nothing answers at the address of this service behind its WireGuard peer.'],
  probe_timeout: [504, 'The service did not answer in time.'],
  probe_wrong_peer: [
    409,
    'The address of this service is carried by another WireGuard peer than the one it is bound to.',
  ],
  probe_failed: [502, 'The service ended the connection, or answered something that is not HTTP.'],
  peer_exists: [409, 'A WireGuard peer with this key or name exists already.'],
  gateway_silent: [504, 'The gateway did not answer in time. Try again in a moment.'],
  selector_malformed: [
    400,
    'A selector is unix:uid:NUMBER, unix:path:/PATH or unix:sha256:HEX, for a service by name.',
  ],
  no_machine_authority: [409, 'Strong evidence needs an authority: name its file under channel.machines first.'],
  rotation_unfinished: [409, 'The key before the last rotation is still served. Wait until its peers have moved.'],
  rotation_failed: [500, 'The gateway could not use a new key and goes on with the one before; its log says why.'],
  peer_unknown: [404, 'There is no such WireGuard peer.'],
  key_malformed: [400, 'A WireGuard key is 32 bytes in base64.'],
  allowed_ips_malformed: [400, 'Allowed IPs are addresses with a prefix length, such as 10.0.0.0/24.'],
  allowed_ips_overlap: [409, 'Another WireGuard peer has some of these allowed IPs already.'],
  endpoint_malformed: [400, 'An endpoint is IP:port, with an IPv6 address in brackets.'],
  federation_unknown: [404, 'There is no federation with that trust domain.'],
  federation_malformed: [
    400,
    'A federation needs a trust domain in lower case, 1 to 32 namespaces, and an end within 366 days.',
  ],
  federation_own: [400, 'That is the trust domain of this installation itself.'],
  federation_too_many: [409, 'There are too many federations. End some that are not needed.'],
  federation_needed: [409, 'No federation with that trust domain covers the namespace of this service.'],
  far_id_malformed: [
    400,
    'That is no SPIFFE id of another trust domain, or the service is behind a connector or of UDP, where none can be.',
  ],
  bundle_malformed: [400, 'That is not a SPIFFE bundle.'],
  bundle_authority: [400, 'A certificate of the bundle is no authority, or names another trust domain.'],
  bundle_empty: [400, 'The bundle has no X.509 authority that is good now.'],
  bundle_outdated: [409, 'The bundle is older than the one in force.'],
  csr_malformed: [400, 'A certificate request is PEM, of a P-256 key that signed it with SHA-256.'],
  change_unknown: [404, 'There is no such change waiting. It was decided, or has expired.'],
  change_approved: [409, 'You have approved this change already. It takes another administrator.'],
  change_too_many: [409, 'Too many changes wait for administrators. Approve or refuse some first.'],
  simulation_busy: [409, 'Another simulation is under way. Try again in a moment.'],
  policy_syntax: [400, 'Cedar cannot read the policies.'],
  policy_invalid: [400, 'A policy names something that does not exist.'],
  policy_id: [400, 'A policy id cannot be used.'],
  policy_template: [400, 'Policy templates are not supported; write each policy out.'],
} as const satisfies Record<string, readonly [number, string]>;

export type ApiErrorCode = keyof typeof answers;
export type ApiStatus = (typeof answers)[ApiErrorCode][0];

export class ApiError extends Error {
  readonly code: ApiErrorCode;
  readonly status: ApiStatus;
  /** Names this refusal in the answer, in the log and, where it is a decision, in the audit. */
  readonly correlation = newCorrelation();
  /** @param message replaces the code's own sentence, for callers who may be told more. */
  constructor(code: ApiErrorCode, options: ErrorOptions & { readonly message?: string } = {}) {
    super(options.message ?? answers[code][1], options);
    this.name = 'ApiError';
    this.code = code;
    this.status = answers[code][0];
  }
}
