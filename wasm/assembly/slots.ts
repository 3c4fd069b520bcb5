/**
 * The keys of open directions, each with its counter, so that neither ever stands in JavaScript: whoever holds a slot
 * number can seal the next record and nothing else, and no (key, nonce) pair can come twice (RFC 8439 section 4).
 * A slot is made for one purpose: the key of a sealer opens nothing.
 *
 * Not for choosing a nonce: there is no way to. Not for deciding who holds which slot: wasm/kernel.ts does.
 */
import { openWith, sealWith } from './aead';
import { KEY, NONCE, SLOT_COUNT, SLOT_SIZE, SLOTS } from './memory';

/** What a slot holds; 0 is nothing. */
export const SEALS: u32 = 1;
export const OPENS: u32 = 2;

/** docs/protocol.md, "Records": a key lives for 2^32 records at most. */
const RECORDS_PER_KEY: u64 = 1 << 32;

const COUNTER: usize = 32;
const KIND: usize = 40;

const REFUSED: i32 = -1;
const FORGED: i32 = 0;
const DONE: i32 = 1;

@inline
function address(slot: i32): usize {
  return SLOTS + <usize>slot * SLOT_SIZE;
}

/** Slot numbers are ours, but they come back through JavaScript. */
function holds(slot: i32, kind: u32): bool {
  if (<u32>slot >= <u32>SLOT_COUNT) return false; // public: a slot number
  return load<u32>(address(slot), KIND) == kind && load<u64>(address(slot), COUNTER) < RECORDS_PER_KEY; // public: a counter
}

/** Nonce = 4 zero bytes | counter u64 little-endian (docs/protocol.md, "Records"). */
function nonceOf(at: usize): usize {
  store<u32>(NONCE, 0);
  store<u64>(NONCE, load<u64>(at, COUNTER), 4);
  return NONCE;
}

/** Moves the key at the door KEY into `slot`, with counter 0. */
export function slotFill(slot: i32, kind: u32): void {
  if (<u32>slot >= <u32>SLOT_COUNT) return; // public: a slot number
  const at = address(slot);
  memory.copy(at, KEY, 32);
  store<u64>(at, 0, COUNTER);
  store<u32>(at, kind, KIND);
  memory.fill(KEY, 0, 32);
}

/** Forgets the key of `slot`. */
export function slotWipe(slot: i32): void {
  if (<u32>slot >= <u32>SLOT_COUNT) return; // public: a slot number
  memory.fill(address(slot), 0, <usize>SLOT_SIZE);
}

/** Seals `length` bytes at `text`, SEAL_TEXT or a place of FRAMES, as the next record of `slot`. @returns DONE or REFUSED. */
export function slotSeal(slot: i32, text: usize, adLength: usize, length: usize): i32 {
  if (!holds(slot, SEALS)) return REFUSED; // public: a counter
  const at = address(slot);
  sealWith(at, nonceOf(at), text, adLength, length);
  store<u64>(at, load<u64>(at, COUNTER) + 1, COUNTER);
  return DONE;
}

/** Opens OPEN_TEXT[0..length] as the next record of `slot`; a forgery does not advance it. @returns DONE, FORGED or REFUSED. */
export function slotOpen(slot: i32, adLength: usize, length: usize): i32 {
  if (!holds(slot, OPENS)) return REFUSED; // public: a counter
  const at = address(slot);
  if (!openWith(at, nonceOf(at), adLength, length)) return FORGED; // public: whether a record was genuine
  store<u64>(at, load<u64>(at, COUNTER) + 1, COUNTER);
  return DONE;
}
