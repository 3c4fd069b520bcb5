import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsVectors, vectorJson } from '../support/vectors.ts';
import { fromHex, report, toHex } from './cases.ts';
import { decapsulateFrom, freshKernel, rawDecapsulate, rawGenerate } from './under-test.ts';

const underTest = freshKernel();
const { kernel } = underTest;

interface AcvpCase {
  tcId: number;
  ek: string;
  dk: string;
  d: string;
  z: string;
  c: string;
  k: string;
  m: string;
  testPassed: boolean;
}

interface AcvpGroup {
  function: 'encapsulation' | 'decapsulation' | 'decapsulationKeyCheck' | 'encapsulationKeyCheck';
  keyFormat?: 'seed' | 'expanded' | 'none';
  tests: AcvpCase[];
}

function groupsOf(file: string): AcvpGroup[] {
  return vectorJson<{ testGroups: AcvpGroup[] }>(`acvp/${file}.ML-KEM-768.json`).testGroups;
}

const same = (bytes: Uint8Array | null, hex: string, id: number) =>
  assert.equal(bytes && toHex(bytes), hex.toLowerCase(), `case ${id}`);

test('QZ-13: ACVP ML-KEM-768 key generation, both halves', needsVectors, (t) => {
  let verified = 0;
  for (const c of groupsOf('ML-KEM-keyGen-FIPS203').flatMap((group) => group.tests)) {
    const { ek, dk } = rawGenerate(underTest, fromHex(c.d + c.z));
    same(ek, c.ek, c.tcId);
    same(dk, c.dk, c.tcId);
    verified++;
  }
  report(t, verified, 25, 'ACVP ML-KEM-768 key generations');
});

/** The four functions of ACVP's encapDecap mode, each on the shipped module. */
const functions: Record<AcvpGroup['function'], (c: AcvpCase, group: AcvpGroup) => void> = {
  encapsulation(c) {
    const { ciphertext, secret } = kernel.mlkemEncapsulate(fromHex(c.ek), fromHex(c.m));
    same(ciphertext, c.c, c.tcId);
    same(secret, c.k, c.tcId);
  },
  decapsulation(c, group) {
    same(rawDecapsulate(underTest, fromHex(c.dk), fromHex(c.c)), c.k, c.tcId);
    if (group.keyFormat === 'seed') same(decapsulateFrom(kernel, fromHex(c.d + c.z), fromHex(c.c)), c.k, c.tcId);
  },
  decapsulationKeyCheck(c) {
    const { ciphertext } = kernel.mlkemEncapsulate(rawGenerate(underTest, new Uint8Array(64)).ek, new Uint8Array(32));
    assert.equal(rawDecapsulate(underTest, fromHex(c.dk), ciphertext) !== null, c.testPassed, `case ${c.tcId}`);
  },
  encapsulationKeyCheck(c) {
    const encapsulate = () => kernel.mlkemEncapsulate(fromHex(c.ek), new Uint8Array(32));
    if (c.testPassed) encapsulate();
    else assert.throws(encapsulate, RangeError, `case ${c.tcId}`);
  },
};

for (const [file, expected] of [
  ['ML-KEM-encapDecap-FIPS203', 55],
  ['ML-KEM-encapDecap-FIPS203-tr1', 65],
] as const) {
  test(`QZ-13: ACVP ${file}: encapsulation, decapsulation and both key checks`, needsVectors, (t) => {
    let verified = 0;
    for (const group of groupsOf(file)) {
      for (const c of group.tests) {
        functions[group.function](c, group);
        verified++;
      }
    }
    report(t, verified, expected, `cases of ${file}`);
  });
}
