import type { Btf } from '../../btf/btf.ts';
import type { Field } from '../../btf/special.ts';
import type { MapInfo } from '../state/map_info.ts';

/** What the arguments of one helper call add up to (struct bpf_call_arg_meta). Regnos are 0 where none is meant. */
export interface CallMeta {
  /** the map argument, and the number of the lookup that found it */
  map: MapInfo | null;
  mapUid: number;
  /** the memory argument need not be initialised: the helper fills it */
  rawMode: boolean;
  /** packet pointers are accepted as memory */
  packetAccess: boolean;
  /** register whose reference the call releases */
  releaseRegno: number;
  /** register of uninitialised memory, and the bytes of it that the helper writes */
  regno: number;
  accessSize: number;
  /** size that a return value points to */
  memSize: number;
  /** largest value of the last size argument, for bounds of the return value; lo, hi of an unsigned 64-bit number */
  msizeMaxLo: number;
  msizeMaxHi: number;
  refObjId: number;
  dynptrId: number;
  helperId: number;
  btf: Btf | null;
  btfId: number;
  retBtf: Btf | null;
  retBtfId: number;
  subprogno: number;
  kptrField: Field | null;
  /** enters the callback that is explored only once; null where none is */
  enterOnce: (() => void) | null;
  /** the key when it is a known constant on the stack, else -1 */
  constMapKey: number;
}

export const emptyMeta = (): CallMeta => ({
  map: null,
  mapUid: 0,
  rawMode: false,
  packetAccess: false,
  releaseRegno: 0,
  regno: 0,
  accessSize: 0,
  memSize: 0,
  msizeMaxLo: 0,
  msizeMaxHi: 0,
  refObjId: 0,
  dynptrId: 0,
  helperId: 0,
  btf: null,
  btfId: 0,
  retBtf: null,
  retBtfId: 0,
  subprogno: 0,
  kptrField: null,
  enterOnce: null,
  constMapKey: -1,
});
