/**
 * The schema, step by step. A migration that has shipped is never edited; the next one is added below it.
 * Written as SQL because it is read beside the tables, not composed; in SQLite's words, which postgres-schema.ts spells for
 * PostgreSQL.
 */
import { type Kysely, type Migration, sql } from 'kysely';
import { inPostgres, isPostgres } from './postgres-schema.ts';

const first = [
  `CREATE TABLE users (id TEXT PRIMARY KEY, handle BLOB NOT NULL UNIQUE, name TEXT NOT NULL, created_at INTEGER NOT NULL,
     disabled_at INTEGER) STRICT`,
  `CREATE TABLE user_groups (user_id TEXT NOT NULL REFERENCES users(id), group_name TEXT NOT NULL,
     PRIMARY KEY (user_id, group_name)) STRICT, WITHOUT ROWID`,
  `CREATE TABLE credentials (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id), public_key BLOB NOT NULL,
     counter INTEGER NOT NULL, aaguid TEXT NOT NULL, transports TEXT NOT NULL, backup_eligible INTEGER NOT NULL,
     backed_up INTEGER NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER) STRICT`,
  'CREATE INDEX credentials_by_user ON credentials (user_id)',
  `CREATE TABLE devices (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id),
     credential_id TEXT NOT NULL REFERENCES credentials(id), public_key BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL,
     revoked_at INTEGER) STRICT`,
  'CREATE INDEX devices_by_user ON devices (user_id)',
  `CREATE TABLE enrolments (id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id),
     first INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER,
     revoked_at INTEGER) STRICT`,
  `CREATE TABLE ceremonies (id TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('enrol', 'login', 'launch')),
     nonce BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id), device_id TEXT, enrolment_id TEXT,
     lease_id BLOB, service TEXT, device_public_key BLOB, expires_at INTEGER NOT NULL, spent_at INTEGER) STRICT`,
  'CREATE INDEX ceremonies_by_end ON ceremonies (expires_at)',
  `CREATE TABLE leases (id BLOB PRIMARY KEY, cookie_hash BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id),
     device_id TEXT NOT NULL REFERENCES devices(id), amr INTEGER NOT NULL, verified_at INTEGER NOT NULL,
     posture_signals TEXT NOT NULL, posture_time INTEGER NOT NULL, created_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
     revoked_at INTEGER) STRICT`,
  `CREATE TABLE launches (id TEXT PRIMARY KEY, lease_id BLOB NOT NULL REFERENCES leases(id), user_id TEXT NOT NULL,
     device_id TEXT NOT NULL, service TEXT NOT NULL, session_key_hash BLOB NOT NULL UNIQUE,
     session_public_key BLOB NOT NULL, posture_hash BLOB NOT NULL, posture_time INTEGER NOT NULL,
     posture_signals TEXT NOT NULL, created_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, revoked_at INTEGER) STRICT`,
  `CREATE TABLE svids (serial BLOB PRIMARY KEY, launch_id TEXT NOT NULL REFERENCES launches(id), not_before INTEGER NOT NULL,
     not_after INTEGER NOT NULL, policy_epoch INTEGER NOT NULL) STRICT`,
  'CREATE INDEX svids_by_launch ON svids (launch_id)',
  `CREATE TABLE spent_nonces (owner TEXT NOT NULL, nonce BLOB NOT NULL, expires_at INTEGER NOT NULL,
     PRIMARY KEY (owner, nonce)) STRICT, WITHOUT ROWID`,
  'CREATE INDEX spent_nonces_by_end ON spent_nonces (expires_at)',
  `CREATE TABLE services (name TEXT PRIMARY KEY, title TEXT NOT NULL, url TEXT NOT NULL, scheme TEXT NOT NULL,
     address TEXT NOT NULL, port INTEGER NOT NULL, path TEXT NOT NULL, upstream_host TEXT NOT NULL,
     wireguard_key TEXT NOT NULL, demo INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT`,
  `CREATE TABLE peers (public_key TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, allowed_ips TEXT NOT NULL, endpoint TEXT,
     preshared_key TEXT, keepalive_s INTEGER, connector_id TEXT UNIQUE, created_at INTEGER NOT NULL) STRICT`,
  `CREATE TABLE connectors (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, wireguard_key TEXT NOT NULL UNIQUE,
     address TEXT NOT NULL UNIQUE, resume_hash BLOB NOT NULL, previous_resume_hash BLOB, joined_at INTEGER NOT NULL) STRICT`,
  `CREATE TABLE gateways (id TEXT PRIMARY KEY, public_key BLOB NOT NULL UNIQUE, wireguard_key TEXT NOT NULL,
     wireguard_port INTEGER NOT NULL, stealth_key BLOB NOT NULL, endpoints TEXT NOT NULL, descriptor BLOB NOT NULL,
     descriptor_issued_at INTEGER NOT NULL, resume_hash BLOB NOT NULL, previous_resume_hash BLOB,
     joined_at INTEGER NOT NULL) STRICT`,
  'CREATE TABLE policies (id TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT',
  'CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT',
  "INSERT INTO counters (name, value) VALUES ('policy_epoch', 0), ('revocation_epoch', 0)",
  `CREATE TABLE audit (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, prev BLOB NOT NULL, hash BLOB NOT NULL,
     event TEXT NOT NULL) STRICT`,
];

/** SQLite changes no CHECK in place. A ceremony lives for minutes: those under way begin again. */
const stepUp = [
  'DROP TABLE ceremonies',
  `CREATE TABLE ceremonies (id TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('enrol', 'login', 'launch', 'stepup')), nonce BLOB NOT NULL UNIQUE,
     user_id TEXT NOT NULL REFERENCES users(id), device_id TEXT, enrolment_id TEXT, lease_id BLOB,
     launch_id TEXT REFERENCES launches(id), service TEXT, device_public_key BLOB, expires_at INTEGER NOT NULL,
     spent_at INTEGER) STRICT`,
  'CREATE INDEX ceremonies_by_end ON ceremonies (expires_at)',
  'ALTER TABLE launches ADD COLUMN stepped_up_at INTEGER',
];

const identityToServices = [
  "ALTER TABLE services ADD COLUMN host TEXT NOT NULL DEFAULT 'public'",
  "ALTER TABLE services ADD COLUMN cors_from TEXT NOT NULL DEFAULT '[]'",
  "ALTER TABLE gateways ADD COLUMN assertion_keys TEXT NOT NULL DEFAULT '[]'",
];

/**
 * Guests: links, the knocks at their doors, and places (devices) without a key or a passkey of their own. SQLite takes no
 * NOT NULL away in place, so the tables that hang together are made anew, and the old ones dropped from the leaves on.
 */
const links = [
  `CREATE TABLE links (id TEXT PRIMARY KEY, secret_hash BLOB NOT NULL, services TEXT NOT NULL, expires_at INTEGER NOT NULL,
     max_uses INTEGER NOT NULL, used INTEGER NOT NULL, kiosk INTEGER NOT NULL, read_only INTEGER NOT NULL,
     approval INTEGER NOT NULL, hours TEXT NOT NULL, zone TEXT NOT NULL, recipient TEXT, created_by TEXT NOT NULL,
     created_at INTEGER NOT NULL, revoked_at INTEGER, revoked_reason TEXT) STRICT`,
  'CREATE INDEX links_by_end ON links (expires_at)',
  `CREATE TABLE knocks (id TEXT PRIMARY KEY, link_id TEXT NOT NULL REFERENCES links(id), key_hash BLOB NOT NULL,
     code TEXT NOT NULL, name TEXT NOT NULL, address TEXT NOT NULL, created_at INTEGER NOT NULL, decided_at INTEGER,
     approved INTEGER, decided_by TEXT, spent_at INTEGER) STRICT`,
  'CREATE INDEX knocks_by_link ON knocks (link_id)',
  'ALTER TABLE users ADD COLUMN link_id TEXT REFERENCES links(id)',
  'ALTER TABLE users ADD COLUMN link_use INTEGER',
  'CREATE UNIQUE INDEX users_by_link ON users (link_id, link_use) WHERE link_id IS NOT NULL',
  `CREATE TABLE new_devices (id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id),
     credential_id TEXT REFERENCES credentials(id), public_key BLOB UNIQUE, name TEXT NOT NULL, created_at INTEGER NOT NULL,
     approved_at INTEGER, revoked_at INTEGER, revoked_reason TEXT, archived_at INTEGER) STRICT`,
  `INSERT INTO new_devices SELECT id, user_id, credential_id, public_key, '', created_at, created_at, revoked_at, NULL, NULL
     FROM devices`,
  `CREATE TABLE new_leases (id BLOB PRIMARY KEY, cookie_hash BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id),
     device_id TEXT NOT NULL REFERENCES new_devices(id), amr INTEGER NOT NULL, verified_at INTEGER NOT NULL,
     posture_signals TEXT NOT NULL, posture_time INTEGER NOT NULL, created_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
     revoked_at INTEGER) STRICT`,
  'INSERT INTO new_leases SELECT * FROM leases',
  `CREATE TABLE new_launches (id TEXT PRIMARY KEY, lease_id BLOB NOT NULL REFERENCES new_leases(id), user_id TEXT NOT NULL,
     device_id TEXT NOT NULL, service TEXT NOT NULL, session_key_hash BLOB NOT NULL UNIQUE,
     session_public_key BLOB NOT NULL, posture_hash BLOB NOT NULL, posture_time INTEGER NOT NULL,
     posture_signals TEXT NOT NULL, created_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, revoked_at INTEGER,
     stepped_up_at INTEGER) STRICT`,
  'INSERT INTO new_launches SELECT * FROM launches',
  `CREATE TABLE new_svids (serial BLOB PRIMARY KEY, launch_id TEXT NOT NULL REFERENCES new_launches(id),
     not_before INTEGER NOT NULL, not_after INTEGER NOT NULL, policy_epoch INTEGER NOT NULL) STRICT`,
  'INSERT INTO new_svids SELECT * FROM svids',
  ...['ceremonies', 'svids', 'launches', 'leases', 'devices'].map((table) => `DROP TABLE ${table}`),
  ...['devices', 'leases', 'launches', 'svids'].map((table) => `ALTER TABLE new_${table} RENAME TO ${table}`),
  'CREATE INDEX devices_by_user ON devices (user_id)',
  'CREATE INDEX leases_by_user ON leases (user_id)',
  'CREATE INDEX leases_by_device ON leases (device_id)',
  'CREATE INDEX launches_by_lease ON launches (lease_id)',
  'CREATE INDEX svids_by_launch ON svids (launch_id)',
  `CREATE TABLE ceremonies (id TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('enrol', 'login', 'launch', 'stepup')), nonce BLOB NOT NULL UNIQUE,
     user_id TEXT NOT NULL REFERENCES users(id), device_id TEXT, enrolment_id TEXT, lease_id BLOB,
     launch_id TEXT REFERENCES launches(id), link_id TEXT REFERENCES links(id), knock_id TEXT REFERENCES knocks(id),
     service TEXT, device_public_key BLOB, expires_at INTEGER NOT NULL, spent_at INTEGER) STRICT`,
  'CREATE INDEX ceremonies_by_end ON ceremonies (expires_at)',
];

/** Of a device whose enrolment link asks for it, an administrator has to say yes before it signs in. */
const deviceApproval = ['ALTER TABLE enrolments ADD COLUMN approval INTEGER NOT NULL DEFAULT 0'];

/** What a revocation reaches besides people and devices, and the receipts of what it cut. */
const revocations = [
  'ALTER TABLE services ADD COLUMN suspended_at INTEGER',
  'ALTER TABLE connectors ADD COLUMN revoked_at INTEGER',
  `CREATE TABLE receipts (id TEXT PRIMARY KEY, session TEXT NOT NULL, actor TEXT NOT NULL, service TEXT NOT NULL,
     streams INTEGER NOT NULL, created_at INTEGER NOT NULL, object BLOB NOT NULL) STRICT`,
];

const connectors = [
  `CREATE TABLE connector_tokens (id TEXT PRIMARY KEY, token_hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL,
     created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER, revoked_at INTEGER) STRICT`,
  'ALTER TABLE services ADD COLUMN inner_tls INTEGER NOT NULL DEFAULT 0',
];

/** What policies may say of a service besides its name. */
const policyNames = [
  "ALTER TABLE services ADD COLUMN namespace TEXT NOT NULL DEFAULT 'default'",
  "ALTER TABLE services ADD COLUMN labels TEXT NOT NULL DEFAULT '[]'",
];

/** Changes that wait for two administrators. SQLite changes no CHECK in place: ceremonies under way begin again. */
const fourEyes = [
  `CREATE TABLE changes (id TEXT PRIMARY KEY, kind TEXT NOT NULL, document TEXT NOT NULL, dangers TEXT NOT NULL,
     requested_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, decided_at INTEGER,
     outcome TEXT) STRICT`,
  `CREATE TABLE approvals (change_id TEXT NOT NULL REFERENCES changes(id), user_id TEXT NOT NULL REFERENCES users(id),
     device_id TEXT NOT NULL REFERENCES devices(id), approved_at INTEGER NOT NULL, assertion TEXT NOT NULL,
     PRIMARY KEY (change_id, user_id)) STRICT, WITHOUT ROWID`,
  'DROP TABLE ceremonies',
  `CREATE TABLE ceremonies (id TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('enrol', 'login', 'launch', 'stepup', 'approve')), nonce BLOB NOT NULL UNIQUE,
     user_id TEXT NOT NULL REFERENCES users(id), device_id TEXT, enrolment_id TEXT, lease_id BLOB,
     launch_id TEXT REFERENCES launches(id), link_id TEXT REFERENCES links(id), knock_id TEXT REFERENCES knocks(id),
     change_id TEXT REFERENCES changes(id), service TEXT, device_public_key BLOB, expires_at INTEGER NOT NULL,
     spent_at INTEGER) STRICT`,
  'CREATE INDEX ceremonies_by_end ON ceremonies (expires_at)',
];

/** Peers are archived, never deleted. */
const archivedPeers = [
  `CREATE TABLE archived_peers (id INTEGER PRIMARY KEY, public_key TEXT NOT NULL, name TEXT NOT NULL, allowed_ips TEXT NOT NULL,
     connector_id TEXT, created_at INTEGER NOT NULL, archived_at INTEGER NOT NULL, reason TEXT NOT NULL) STRICT`,
];

/** Whoever administrated before goes on with the first of the roles. */
const adminRoles = [
  `CREATE TABLE admin_roles (user_id TEXT NOT NULL REFERENCES users(id), role TEXT NOT NULL, granted_at INTEGER NOT NULL,
     PRIMARY KEY (user_id, role)) STRICT, WITHOUT ROWID`,
  "INSERT INTO admin_roles SELECT user_id, 'manager', 0 FROM user_groups WHERE group_name = 'admins'",
];

/** Sign-in at an OpenID provider. Ceremonies under way begin again, as above. */
const oidc = [
  `CREATE TABLE identities (issuer TEXT NOT NULL, subject TEXT NOT NULL, user_id TEXT NOT NULL REFERENCES users(id),
     created_at INTEGER NOT NULL, PRIMARY KEY (issuer, subject)) STRICT, WITHOUT ROWID`,
  ...['issuer', 'subject', 'sid', 'facts'].map((name) => `ALTER TABLE leases ADD COLUMN idp_${name} TEXT`),
  'DROP TABLE ceremonies',
  `CREATE TABLE ceremonies (id TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('enrol', 'login', 'launch', 'stepup', 'approve', 'oidc')),
     nonce BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id), device_id TEXT, enrolment_id TEXT,
     lease_id BLOB, launch_id TEXT REFERENCES launches(id), link_id TEXT REFERENCES links(id),
     knock_id TEXT REFERENCES knocks(id), change_id TEXT REFERENCES changes(id), oidc TEXT, service TEXT,
     device_public_key BLOB, expires_at INTEGER NOT NULL, spent_at INTEGER) STRICT`,
  'CREATE INDEX ceremonies_by_end ON ceremonies (expires_at)',
];

/** Control planes on one database give the same policy the same epoch. */
const policyDigest = ['ALTER TABLE counters ADD COLUMN digest BLOB'];

/** What the world outside checks our word by. */
const witKeys = [
  `CREATE TABLE wit_keys (kid TEXT PRIMARY KEY, x TEXT NOT NULL, y TEXT NOT NULL, sealed TEXT,
     created_at INTEGER NOT NULL) STRICT`,
];

/** Sign-in at a SAML provider. Ceremonies under way begin again, as above. */
const saml = [
  'DROP TABLE ceremonies',
  `CREATE TABLE ceremonies (id TEXT PRIMARY KEY,
     kind TEXT NOT NULL CHECK (kind IN ('enrol', 'login', 'launch', 'stepup', 'approve', 'oidc', 'saml')),
     nonce BLOB NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users(id), device_id TEXT, enrolment_id TEXT,
     lease_id BLOB, launch_id TEXT REFERENCES launches(id), link_id TEXT REFERENCES links(id),
     knock_id TEXT REFERENCES knocks(id), change_id TEXT REFERENCES changes(id), idp TEXT, service TEXT,
     device_public_key BLOB, expires_at INTEGER NOT NULL, spent_at INTEGER) STRICT`,
  'CREATE INDEX ceremonies_by_end ON ceremonies (expires_at)',
];

/** How strongly a connector's machine showed what it is, and how strongly it has to. */
const machineEvidence = [
  "ALTER TABLE connectors ADD COLUMN evidence TEXT NOT NULL DEFAULT 'weak'",
  'ALTER TABLE connectors ADD COLUMN machine TEXT',
  ...['connectors', 'connector_tokens'].flatMap((table) => [
    `ALTER TABLE ${table} ADD COLUMN needs_strong INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE ${table} ADD COLUMN needs_machine TEXT`,
  ]),
];

/** Other trust domains, and services that are of one. */
const federations = [
  `CREATE TABLE federations (trust_domain TEXT PRIMARY KEY, namespaces TEXT NOT NULL, authorities TEXT NOT NULL,
     sequence INTEGER, expires_at INTEGER NOT NULL, created_at INTEGER NOT NULL, created_by TEXT NOT NULL) STRICT`,
  'ALTER TABLE services ADD COLUMN far_id TEXT',
];

const retention = [
  'CREATE TABLE audit_start (seq INTEGER PRIMARY KEY, object BLOB NOT NULL) STRICT',
  'CREATE TABLE retention (days INTEGER PRIMARY KEY) STRICT',
];

/**
 * Groups that a SAML provider says are `saml/NAME` from here on. Who wrote the `idp/` ones of a person with an identity at
 * one cannot be told any more: they go, and the OpenID provider says its own anew at the next sign-in there.
 */
const samlGroups = [
  `DELETE FROM user_groups WHERE group_name LIKE 'idp/%'
     AND user_id IN (SELECT user_id FROM identities WHERE issuer LIKE 'saml %')`,
];

/** A link for whoever lost all their devices: using it takes the lost ones out. */
const recovery = ['ALTER TABLE enrolments ADD COLUMN recovery INTEGER NOT NULL DEFAULT 0'];

/**
 * What is kept about the audit log is signed, by a key whose certificate stands beside it. An approved time from before is not:
 * it is set aside, everything is kept, the next start says so in the audit (control/retention.ts), and two approve it anew.
 */
const signedRetention = [
  'ALTER TABLE audit_start ADD COLUMN certificate BLOB',
  'ALTER TABLE retention RENAME TO unsigned_retention',
  'CREATE TABLE retention (epoch INTEGER PRIMARY KEY, object BLOB NOT NULL, certificate BLOB NOT NULL) STRICT',
];

/** The lists of the administration in the order they are shown in: a page of a long one costs a page. */
const listOrders = [
  'CREATE INDEX users_in_order ON users (created_at, id) WHERE link_id IS NULL',
  // With what it takes to count them.
  `CREATE INDEX devices_in_order ON devices
     ((approved_at IS NULL AND revoked_at IS NULL) DESC, created_at, id, archived_at, user_id)`,
  'DROP INDEX leases_by_device',
  'CREATE INDEX leases_by_device ON leases (device_id, created_at)',
  'CREATE INDEX links_in_order ON links (created_at DESC, id)',
  // What is open is found by the credentials that are good, however long the history of launches is.
  'CREATE INDEX svids_by_end ON svids (not_after, launch_id)',
];

/** What a connector's services have to be. */
const workloads = ['connectors', 'connector_tokens'].map(
  (table) => `ALTER TABLE ${table} ADD COLUMN needs_workloads TEXT NOT NULL DEFAULT '{}'`,
);

/** What an authenticator showed of its make when its passkey was made. */
const attestation = [
  "ALTER TABLE credentials ADD COLUMN attestation TEXT NOT NULL DEFAULT 'none'",
  'ALTER TABLE credentials ADD COLUMN attested INTEGER NOT NULL DEFAULT 0',
  'ALTER TABLE credentials ADD COLUMN attestation_object BLOB',
];

/** Why somebody was taken out. */
const userReason = ['ALTER TABLE users ADD COLUMN disabled_reason TEXT'];

/** Where it was not set aside, because it had gone already. */
const unsignedRetention = ['CREATE TABLE IF NOT EXISTS unsigned_retention (days INTEGER PRIMARY KEY) STRICT'];

/** By name, in the order they are applied. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-first': { up: (database) => runAll(database, first) },
  '0002-step-up': { up: (database) => runAll(database, stepUp) },
  '0003-identity-to-services': { up: (database) => runAll(database, identityToServices) },
  '0004-links': { up: (database) => runAll(database, links) },
  '0005-device-approval': { up: (database) => runAll(database, deviceApproval) },
  '0006-revocations': { up: (database) => runAll(database, revocations) },
  '0007-connectors': { up: (database) => runAll(database, connectors) },
  '0008-policy-names': { up: (database) => runAll(database, policyNames) },
  '0009-four-eyes': { up: (database) => runAll(database, fourEyes) },
  '0010-archived-peers': { up: (database) => runAll(database, archivedPeers) },
  '0011-admin-roles': { up: (database) => runAll(database, adminRoles) },
  '0012-oidc': { up: (database) => runAll(database, oidc) },
  '0013-policy-digest': { up: (database) => runAll(database, policyDigest) },
  '0014-wit-keys': { up: (database) => runAll(database, witKeys) },
  '0015-saml': { up: (database) => runAll(database, saml) },
  '0016-machine-evidence': { up: (database) => runAll(database, machineEvidence) },
  '0017-federations': { up: (database) => runAll(database, federations) },
  '0018-retention': { up: (database) => runAll(database, retention) },
  '0019-saml-groups': { up: (database) => runAll(database, samlGroups) },
  '0020-recovery': { up: (database) => runAll(database, recovery) },
  '0021-signed-retention': { up: (database) => runAll(database, signedRetention) },
  '0022-list-orders': { up: (database) => runAll(database, listOrders) },
  '0023-workloads': { up: (database) => runAll(database, workloads) },
  '0024-attestation': { up: (database) => runAll(database, attestation) },
  '0025-user-reason': { up: (database) => runAll(database, userReason) },
  '0026-unsigned-retention': { up: (database) => runAll(database, unsignedRetention) },
};

async function runAll(database: Kysely<unknown>, statements: readonly string[]): Promise<void> {
  const spelled = isPostgres(database) ? inPostgres : (statement: string) => statement;
  for (const statement of statements) await sql.raw(spelled(statement)).execute(database);
}
