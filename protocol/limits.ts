/**
 * Every number of Latchkey/1 in one place: sizes the wire fixes, then the bounds the specification sets, then ours.
 * The unit is in the name. Changing one of the first two groups changes the protocol.
 */

// ── sizes of the primitives (FIPS 203, FIPS 204, RFC 7748, RFC 8032, RFC 8439, FIPS 180-4) ──

export const hashBytes = 32;
export const keyBytes = 32;
export const tagBytes = 16;
export const mlkemPublicBytes = 1184;
export const mlkemCiphertextBytes = 1088;
export const x25519Bytes = 32;
/** `share_c` */
export const offerBytes = mlkemPublicBytes + x25519Bytes;
/** `share_g` */
export const answerBytes = mlkemCiphertextBytes + x25519Bytes;
/** `ss_mlkem | ss_x25519` */
export const sharedSecretBytes = 64;
export const mldsaPublicBytes = 1952;
export const mldsaSignatureBytes = 3309;
export const ed25519PublicBytes = 32;
export const ed25519SignatureBytes = 64;
export const compositePublicBytes = mldsaPublicBytes + ed25519PublicBytes;
export const compositeSignatureBytes = mldsaSignatureBytes + ed25519SignatureBytes;

// ── the wire ──

/** Handshake frame: `type u8 | length u24`. */
export const frameHeaderBytes = 4;
export const maxHandshakeBodyBytes = 16_384;
/** INIT up to and including share_c, the part a RETRY may not change. */
export const initCoreBytes = 44 + offerBytes;
export const cookieBytes = 48;
export const mac1Bytes = 16;
/** RESP in the clear: version, suite, random, share_g. */
export const respClearBytes = 36 + answerBytes;
/** RESP's sealed part is padded to a multiple of this. */
export const respPaddingBytes = 256;
/** AUTH has one length for every identity, so that it says nothing of who comes. */
export const authPlainBytes = 10_240;
/** SHA-256(statement) | time u64 */
export const postureBytes = 40;
export const paramsBytes = 50;
export const readyPlainBytes = 256;
export const sessionIdBytes = 16;
export const serialBytes = 16;
export const maxSpiffeIdBytes = 200;
export const maxServiceBytes = 64;

/** `0x17 | epoch u8 | length u16` */
export const recordHeaderBytes = 4;
export const recordType = 0x17;
/** `0x44 | epoch u8 | flow u32 | counter u64` */
export const datagramHeaderBytes = 14;
export const datagramType = 0x44;
/** Content of one record, before type and padding. */
export const maxRecordBytes = 16_384;
export const dataPaddingBytes = 16;
export const controlPaddingBytes = 64;

// ── what the specification bounds ──

/** Records sealed with one key: a rekey is asked for at the first, the second is never passed. */
export const rekeyAtRecords = 2 ** 31;
export const maxRecordsPerKey = 2 ** 32;
/** Bounds of what a gateway may set in READY; its configuration says 120 s, 180 s and 2^30 bytes. */
export const minRekeyAfterBytes = 2n ** 20n;
export const maxRekeyAfterBytes = 2n ** 36n;
/** Clients that began together should not rekey together: each spreads its timer by this share either way. */
export const rekeyJitter = 0.05;
/** Without RK_RESP for this long the client makes a new session beside the old one. */
export const rekeyAnswerMs = 15_000;
/** So long before a rekey by time the client is told of it. */
export const rekeySoonMs = 3_000;
/** Old keys are gone this long after RK_DONE at the latest. */
export const oldKeyMs = 30_000;
/** Datagrams of the last epoch are taken this long after RK_DONE. */
export const oldDatagramMs = 5_000;
/** RFC 6479's window: how late a datagram may come. */
export const datagramWindow = 2_048;
/** Datagrams that fail their tag until their key is worth no more trust. */
export const maxForgedDatagrams = 2 ** 20;
export const handshakeMs = 10_000;
/** RFC 8019's puzzle: a client gives up above this many leading zero bits. */
export const maxPuzzleBits = 20;
export const cookieKeyMs = 120_000;
export const cookieMs = 60_000;
/** Gateway identities times stealth keys that mac1 is tried against. */
export const maxMac1Tries = 4;
/** Stream ids may arrive out of order (QUIC), this far above the highest seen. */
export const streamIdWindow = 1_024;
export const initialCreditBytes = 256 * 1024;
export const maxCreditBytes = 16 * 1024 * 1024;

// ── ours ──

/** One more with each rotation of the root, once a year. */
export const maxRootGenerations = 16;

export const maxStreams = 256;
/** Used cookies remembered in a minute: a thousand handshakes a second, twice what a core can do. */
export const maxUsedCookies = 65_536;
/** How far the issuer's clock may run ahead of the verifier's; it never lengthens a document's life. */
export const clockSkewMs = 5_000;
/** LKS1 bodies: a policy snapshot is the largest. */
export const maxObjectBodyBytes = 8 * 1024 * 1024;
