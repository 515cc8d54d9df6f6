import type { MapDef } from '../../../src/program/program.ts';

export function emptyMap(type: number, keySize: number, valueSize: number, maxEntries: number): MapDef {
  return {
    name: 'm',
    type,
    keySize,
    valueSize,
    maxEntries,
    flags: 0,
    mapExtra: 0n,
    btf: null,
    btfKeyTypeId: 0,
    btfValueTypeId: 0,
    btfVmlinuxValueTypeId: 0,
    inner: null,
    initial: null,
    frozen: false,
    slots: [],
    section: null,
  };
}
