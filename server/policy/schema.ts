/**
 * The Cedar schema that policies are checked against when they are written: who (User in Group, Guest in Link), with what
 * (Device), to what (Service in Namespace, with labels) and which circumstances a policy may ask for. A policy that names
 * anything else is refused at once instead of failing silently at a decision. What a person can change by themselves (the
 * name of a device) is not in it.
 */
export const actions = ['launch', 'open', 'request'] as const;
/** `launch` a credential for a service, `open` a stream to it, `request` one HTTP exchange inside. */
export type Action = (typeof actions)[number];

/** Posture signals a policy may use; every one may be missing, and a missing one is never a pass. */
export const policySignals = {
  browser: 'String',
  browserMajor: 'Long',
  engine: 'String',
  engineMajor: 'Long',
  os: 'String',
  osVersion: 'String',
  secureContext: 'Bool',
  crossOriginIsolated: 'Bool',
  automation: 'Bool',
  userVerified: 'Bool',
  userVerificationAgeS: 'Long',
  backupEligible: 'Bool',
  backedUp: 'Bool',
} as const;
export type PolicySignal = keyof typeof policySignals;

const signalFields = Object.entries(policySignals)
  .map(([name, type]) => `    ${name}?: ${type},`)
  .join('\n');

export const policySchema = `
entity Group;
entity User in [Group] { name: String };
entity Link;
entity Guest in [Link] { name: String };
entity Device {
    enrolled: datetime,
    // The passkey it was enrolled with: which model (AAGUID), and whether it can be copied to other devices (BE).
    aaguid: String,
    synced: Bool,
    // What it showed of its make ("none", "packed", "tpm" …), and whether that led to an authority of passkeys.roots at enrolment.
    attestation: String,
    attested: Bool,
};
entity Namespace;
entity Service in [Namespace] {
    scheme: String,
    demo: Bool,
    labels: Set<String>,
    // What the machine of its connector showed of itself: "weak" or "strong"; "none" for one that no connector publishes.
    evidence: String,
};
type Posture = {
    ageS: Long,
${signalFields}
};
type Idp = {
    issuer: String,
    acr?: String,
    amr: Set<String>,
};
type LinkTerms = {
    services: Set<Service>,
    expires: datetime,
    use: Long,
    uses: Long,
    readOnly: Bool,
    kiosk: Bool,
    isOpen: Bool,
};
action ${actions.join(', ')} appliesTo {
  principal: [User, Guest],
  resource: Service,
  context: {
    device?: Device,
    now: datetime,
    link?: LinkTerms,
    amr: Set<String>,
    idp?: Idp,
    authAgeS: Long,
    posture: Posture,
    kind?: String,
    method?: String,
    path?: String,
  },
};
`;

/** Policies of a new installation. Whatever they do not permit is denied. */
export const defaultPolicies: Readonly<Record<string, string>> = {
  admins: 'permit (principal in Group::"admins", action, resource);',
};
