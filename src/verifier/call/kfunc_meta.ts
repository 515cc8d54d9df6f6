import type { Btf } from '../../btf/btf.ts';
import type { Field } from '../../btf/special.ts';
import { DYNPTR_INVALID } from '../objects/dynptr.ts';
import type { IterPlace } from '../objects/iterator.ts';
import type { MapInfo } from '../state/map_info.ts';
import type { KfuncShape } from './kfunc_shape.ts';

/** What the arguments of one kfunc call add up to (struct bpf_kfunc_call_arg_meta). Regnos and ids are 0 where none is meant. */
export interface KfuncMeta {
  readonly shape: KfuncShape;
  /** reference of an argument, and the register whose reference the call releases */
  refObjId: number;
  releaseRegno: number;
  /** bytes that the result points to, 0 for not known */
  resultSize: number;
  resultReadOnly: boolean;
  /** kernel type of the cast context */
  resultBtfId: number;
  subprogno: number;
  /** enters the callback that is explored only once; null where none is */
  enterOnce: (() => void) | null;
  /** the one constant argument: two halves of a 64-bit word */
  constant: { readonly lo: number; readonly hi: number } | null;
  hasProgArg: boolean;
  /** the program's struct that an argument points to */
  argBtf: Btf | null;
  argBtfId: number;
  /** that argument owns its object */
  argIsOwner: boolean;
  listHead: Field | null;
  treeRoot: Field | null;
  dynptrType: number;
  dynptrId: number;
  dynptrRefObjId: number;
  iter: IterPlace | null;
  map: MapInfo | null;
  mapUid: number;
}

export const newKfuncMeta = (shape: KfuncShape): KfuncMeta => ({
  shape,
  refObjId: 0,
  releaseRegno: 0,
  resultSize: 0,
  resultReadOnly: false,
  resultBtfId: 0,
  subprogno: 0,
  enterOnce: null,
  constant: null,
  hasProgArg: false,
  argBtf: null,
  argBtfId: 0,
  argIsOwner: false,
  listHead: null,
  treeRoot: null,
  dynptrType: DYNPTR_INVALID,
  dynptrId: 0,
  dynptrRefObjId: 0,
  iter: null,
  map: null,
  mapUid: 0,
});
