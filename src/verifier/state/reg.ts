import type { Btf } from '../../btf/btf.ts';
import { type Scalar, UNKNOWN, ZERO } from '../scalar/scalar.ts';
import type { MapInfo } from './map_info.ts';
import { NOT_INIT, PTR_TO_STACK, SCALAR_VALUE } from './reg_types.ts';

/** What a register's `obj` may be: a map, or the BTF its type id belongs to. */
export type RegObject = MapInfo | Btf;

/**
 * What the verifier knows about one register or spilled value (struct bpf_reg_state).
 *
 * A Reg that stands in a state is never written again: change a `clone()` and put that into the state, so that states share
 * registers and identity means equality. Precision marks, which change on stored states, live in masks of the frame.
 *
 * `obj`, `aux` and `aux2` mean, by type:
 *
 *     PTR_TO_PACKET, PTR_TO_PACKET_META        aux = range: bytes that a comparison with the end has proven
 *     CONST_PTR_TO_MAP, PTR_TO_MAP_VALUE/KEY   obj = MapInfo, aux = map_uid (0, or the id of an inner map's lookup)
 *     PTR_TO_BTF_ID                            obj = Btf, aux = type id
 *     PTR_TO_MEM                               aux = mem_size, aux2 = dynptr_id of a slice
 *     CONST_PTR_TO_DYNPTR, dynptr stack slots  aux = dynptr type, aux2 = 1 on the first slot, 2 if mutable
 *     iterator stack slots                     obj = Btf, aux = type id, aux2 = depth << 2 | state
 *     irq flag stack slots                     aux = kfunc class
 *     PTR_TO_FUNC                              aux = subprogram number
 */
export class Reg {
  declare type: number;
  /** fixed part of the offset of a pointer, bytes, signed 32 bits */
  declare off: number;
  /** links registers that hold the same value (scalars; with BPF_ADD_CONST*), or that become non-NULL or ranged together */
  declare id: number;
  /** id of the reference that this pointer holds or depends on, 0 for none */
  declare refObjId: number;
  /** PTR_TO_STACK: number of the frame that is pointed to */
  declare frameno: number;
  declare obj: RegObject | null;
  declare aux: number;
  declare aux2: number;
  /** value of a scalar, variable part of the offset of a pointer */
  declare scalar: Scalar;

  constructor(
    type: number,
    off: number,
    id: number,
    refObjId: number,
    frameno: number,
    obj: RegObject | null,
    aux: number,
    aux2: number,
    scalar: Scalar,
  ) {
    this.type = type;
    this.off = off;
    this.id = id;
    this.refObjId = refObjId;
    this.frameno = frameno;
    this.obj = obj;
    this.aux = aux;
    this.aux2 = aux2;
    this.scalar = scalar;
  }

  clone(): Reg {
    return new Reg(this.type, this.off, this.id, this.refObjId, this.frameno, this.obj, this.aux, this.aux2, this.scalar);
  }
}

/** Set in `Reg.id` of a scalar that equals a linked one plus `off`: 64-bit and 32-bit addition. */
export const BPF_ADD_CONST64 = 1 << 31;
export const BPF_ADD_CONST32 = 1 << 30;
export const BPF_ADD_CONST = BPF_ADD_CONST64 | BPF_ADD_CONST32;

/** __mark_reg_not_init: an unreadable register has an unknown scalar */
export const NOT_INIT_REG = new Reg(NOT_INIT, 0, 0, 0, 0, null, 0, 0, UNKNOWN);
/** __mark_reg_unknown */
export const UNKNOWN_REG = new Reg(SCALAR_VALUE, 0, 0, 0, 0, null, 0, 0, UNKNOWN);
/** a scalar that is known to be 0 */
export const ZERO_REG = new Reg(SCALAR_VALUE, 0, 0, 0, 0, null, 0, 0, ZERO);

export const scalarReg = (scalar: Scalar): Reg =>
  scalar === UNKNOWN ? UNKNOWN_REG : new Reg(SCALAR_VALUE, 0, 0, 0, 0, null, 0, 0, scalar);

/** A pointer of this type at offset 0 without variable part. */
export const pointerReg = (type: number, obj: RegObject | null = null, aux = 0, aux2 = 0): Reg =>
  new Reg(type, 0, 0, 0, 0, obj, aux, aux2, ZERO);

export const stackPointerReg = (frameno: number): Reg => new Reg(PTR_TO_STACK, 0, 0, 0, frameno, null, 0, 0, ZERO);

export const mapOf = (reg: Reg): MapInfo => reg.obj as MapInfo;
export const btfOf = (reg: Reg): Btf => reg.obj as Btf;
