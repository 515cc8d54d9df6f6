import { KIND } from '../wire.ts';
import type { CheckEnv } from './env.ts';
import {
  bitfieldSizeOf,
  bitOffsetOf,
  bytesFor,
  intParts,
  isModifierKind,
  isStructKind,
  type RawMember,
  type RawType,
} from './raw.ts';

const MAX_COPY_BITS = 128;

/** A member must lie on a byte and end before the struct does. */
const checkBytes = (env: CheckEnv, struct: RawType, member: RawMember, size: number): void => {
  if (member.packed % 8 !== 0) env.refuseMember(struct, member, 'Member is not byte aligned');
  if ((struct.third - Math.floor(member.packed / 8)) >>> 0 < size) env.refuseMember(struct, member, 'Member exceeds struct_size');
};

/** The bits from `offset` on must fit a 128-bit copy and the struct. */
const checkBits = (env: CheckEnv, struct: RawType, member: RawMember, offset: number, bits: number): void => {
  const byte = Math.floor(offset / 8);
  const copied = bits + (offset % 8);
  if (copied > MAX_COPY_BITS) env.refuseMember(struct, member, 'nr_copy_bits exceeds 128');
  if (struct.third < byte || struct.third - byte < bytesFor(copied))
    env.refuseMember(struct, member, 'Member exceeds struct_size');
};

/** Source: btf_int_check_member. */
const checkInt = (env: CheckEnv, struct: RawType, member: RawMember, type: RawType): void => {
  const { bits, offset } = intParts(env.extra(type, 0));
  if (member.packed + offset > 0xffffffff) env.refuseMember(struct, member, 'bits_offset exceeds U32_MAX');
  checkBits(env, struct, member, member.packed + offset, bits);
};

/** Source: __btf_type_int_is_regular. */
export const isRegularInt = (env: CheckEnv, type: RawType): boolean => {
  const { bits, offset } = intParts(env.extra(type, 0));
  return offset === 0 && [8, 16, 32, 64, 128].includes(bits);
};

/** Source: btf_int_check_kflag_member. */
const checkIntBits = (env: CheckEnv, struct: RawType, member: RawMember, type: RawType): void => {
  if (!isRegularInt(env, type)) env.refuseMember(struct, member, 'Invalid member base type');
  const wide = intParts(env.extra(type, 0)).bits;
  const bits = bitfieldSizeOf(struct, member);
  const offset = bitOffsetOf(struct, member);
  if (bits === 0 && offset % 8 !== 0) env.refuseMember(struct, member, 'Invalid member offset');
  if (bits > wide) env.refuseMember(struct, member, 'Invalid member bitfield_size');
  checkBits(env, struct, member, offset, bits === 0 ? wide : bits);
};

/** Source: btf_enum_check_kflag_member. */
const checkEnumBits = (env: CheckEnv, struct: RawType, member: RawMember): void => {
  const bits = bitfieldSizeOf(struct, member);
  const offset = bitOffsetOf(struct, member);
  if (bits === 0 && offset % 8 !== 0) env.refuseMember(struct, member, 'Member is not byte aligned');
  if (bits > 32) env.refuseMember(struct, member, 'Invalid member bitfield_size');
  if (struct.third < bytesFor(offset + (bits === 0 ? 32 : bits))) env.refuseMember(struct, member, 'Member exceeds struct_size');
};

/** Source: btf_float_check_member. */
const checkFloat = (env: CheckEnv, struct: RawType, member: RawMember, type: RawType): void => {
  if (member.packed % (8 * Math.min(8, type.third)) !== 0) env.refuseMember(struct, member, 'Member is not properly aligned');
  if (Math.floor(member.packed / 8) + type.third > struct.third) env.refuseMember(struct, member, 'Member exceeds struct_size');
};

/** A member of a struct without bitfield sizes. Source: the check_member operations. */
const checkPlain = (env: CheckEnv, struct: RawType, member: RawMember, typeId: number, type: RawType): void => {
  const { kind } = type;
  if (kind === KIND.INT) checkInt(env, struct, member, type);
  else if (kind === KIND.PTR) checkBytes(env, struct, member, 8);
  else if (kind === KIND.ARRAY) checkBytes(env, struct, member, env.sized(typeId)?.size ?? 0);
  else if (isStructKind(kind) || kind === KIND.ENUM || kind === KIND.ENUM64) checkBytes(env, struct, member, type.third);
  else if (kind === KIND.FLOAT) checkFloat(env, struct, member, type);
  else env.refuseType(struct, 'Unsupported check_member', 'EINVAL', false);
};

/** A member of a struct with bitfield sizes. Source: the check_kflag_member operations. */
const checkWithBits = (env: CheckEnv, struct: RawType, member: RawMember, typeId: number, type: RawType): void => {
  const { kind } = type;
  if (kind === KIND.INT) return checkIntBits(env, struct, member, type);
  if (kind === KIND.ENUM || kind === KIND.ENUM64) return checkEnumBits(env, struct, member);
  if (kind !== KIND.PTR && kind !== KIND.ARRAY && !isStructKind(kind) && kind !== KIND.FLOAT)
    env.refuseType(struct, 'Unsupported check_kflag_member', 'EINVAL', false);
  if (bitfieldSizeOf(struct, member) !== 0) env.refuseMember(struct, member, 'Invalid member bitfield_size');
  return checkPlain(env, struct, member, typeId, type);
};

/** Whether a member fits its struct, its type being resolved. Source: btf_struct_resolve and the operations it calls. */
export const checkMember = (env: CheckEnv, struct: RawType, member: RawMember): void => {
  const type = env.type(member.type)!;
  let shown = member;
  let target = { id: member.type, type };
  if (isModifierKind(type.kind)) {
    const sized = env.sized(member.type);
    if (sized === undefined) env.refuseMember(struct, member, 'Invalid member');
    target = sized;
    shown = { ...member, type: sized.id };
  }
  if (struct.kindFlag) checkWithBits(env, struct, shown, target.id, target.type);
  else checkPlain(env, struct, shown, target.id, target.type);
};
