import { BTF_INT_BOOL, BTF_INT_CHAR, BTF_INT_SIGNED } from '../types.ts';
import { BTF_MAX_TYPE, BTF_TYPE_BYTES, infoKind, KIND } from '../wire.ts';
import type { CheckEnv } from './env.ts';
import { bitOffsetOf, bytesFor, intParts, type RawType, readRaw } from './raw.ts';

const INFO_MASK = 0x9f00ffff;
const INT_MASK = 0x0fffffff;
const isTypeId = (id: number): boolean => id <= BTF_MAX_TYPE;
const isPowerOfTwo = (value: number): boolean => value !== 0 && (value & (value - 1)) === 0;

/** Refuses a type whose extra bytes leave the section. */
const needExtra = (env: CheckEnv, type: RawType, left: number, needed: number): number => {
  if (left < needed) env.refuseType(type, `meta_left:${left} meta_needed:${needed}`, 'EINVAL', false);
  return needed;
};

const refuseVlen = (env: CheckEnv, type: RawType): void => {
  if (type.vlen !== 0) env.refuseType(type, 'vlen != 0');
};

const refuseKindFlag = (env: CheckEnv, type: RawType): void => {
  if (type.kindFlag) env.refuseType(type, 'Invalid btf_info kind_flag');
};

/** A name must be there and be an identifier, or may be missing. */
const checkName = (env: CheckEnv, type: RawType, rule: 'required' | 'optional'): void => {
  const missing = type.nameOff === 0;
  if (missing ? rule === 'required' : !env.isIdentifier(type.nameOff)) env.refuseType(type, 'Invalid name');
};

const checkInt = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, 4);
  refuseVlen(env, type);
  refuseKindFlag(env, type);
  const data = env.extra(type, 0);
  if ((data & ~INT_MASK) !== 0) env.refuseType(type, `Invalid int_data:${data.toString(16)}`, 'EINVAL', false);
  const { bits, offset, encoding } = intParts(data);
  if (bits + offset > 128) env.refuseType(type, 'nr_bits exceeds 128');
  if (bytesFor(bits + offset) > type.third) env.refuseType(type, 'nr_bits exceeds type_size');
  if (![0, BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL].includes(encoding))
    env.refuseType(type, 'Unsupported encoding', 'ENOTSUPP');
  env.logType(type);
  return needed;
};

const checkReference = (env: CheckEnv, type: RawType): number => {
  refuseVlen(env, type);
  if (type.kind !== KIND.TYPE_TAG) refuseKindFlag(env, type);
  if (!isTypeId(type.third)) env.refuseType(type, 'Invalid type_id');
  if (type.kind === KIND.TYPEDEF) checkName(env, type, 'required');
  else if (type.kind === KIND.TYPE_TAG ? env.isEmpty(type.nameOff) : type.nameOff !== 0) env.refuseType(type, 'Invalid name');
  env.logType(type);
  return 0;
};

const checkFwd = (env: CheckEnv, type: RawType): number => {
  refuseVlen(env, type);
  if (type.third !== 0) env.refuseType(type, 'type != 0');
  checkName(env, type, 'required');
  env.logType(type);
  return 0;
};

const checkArray = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, 12);
  if (type.nameOff !== 0) env.refuseType(type, 'Invalid name');
  refuseVlen(env, type);
  refuseKindFlag(env, type);
  if (type.third !== 0) env.refuseType(type, 'size != 0');
  const [elem, index] = [env.extra(type, 0), env.extra(type, 1)];
  if (elem === 0 || !isTypeId(elem)) env.refuseType(type, 'Invalid elem');
  if (index === 0 || !isTypeId(index)) env.refuseType(type, 'Invalid index');
  env.logType(type);
  return needed;
};

const checkStruct = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, type.vlen * 12);
  checkName(env, type, 'optional');
  env.logType(type);
  let lastOffset = 0;
  for (let i = 0; i < type.vlen; i++) {
    const member = env.member(type, i);
    const refuse = (message: string): never => env.refuseMember(type, member, message);
    if (!env.isNameOffset(member.nameOff)) refuse(`Invalid member name_offset:${member.nameOff}`);
    if (member.nameOff !== 0 && !env.isIdentifier(member.nameOff)) refuse('Invalid name');
    if (member.type === 0 || !isTypeId(member.type)) refuse('Invalid type_id');
    const offset = bitOffsetOf(type, member);
    if ((type.kind === KIND.UNION && offset !== 0) || lastOffset > offset) refuse('Invalid member bits_offset');
    if (bytesFor(offset) > type.third) refuse('Member bits_offset exceeds its struct size');
    env.logMember(type, member);
    lastOffset = offset;
  }
  return needed;
};

const checkEnum = (env: CheckEnv, type: RawType, left: number): number => {
  const wide = type.kind === KIND.ENUM64;
  const words = wide ? 3 : 2;
  const needed = needExtra(env, type, left, type.vlen * words * 4);
  if (type.third > 8 || !isPowerOfTwo(type.third)) env.refuseType(type, 'Unexpected size');
  checkName(env, type, 'optional');
  env.logType(type);
  for (let i = 0; i < type.vlen; i++) {
    const nameOff = env.extra(type, i * words);
    if (!env.isNameOffset(nameOff)) env.refuse(`\tInvalid name_offset:${nameOff}`);
    if (nameOff === 0 || !env.isIdentifier(nameOff)) env.refuseType(type, 'Invalid name');
    if (env.logs) env.write(`\t${env.name(nameOff)} val=${enumValue(env, type, i * words + 1, wide)}\n`);
  }
  return needed;
};

const enumValue = (env: CheckEnv, type: RawType, word: number, wide: boolean): number | bigint => {
  const low = env.extra(type, word);
  if (!wide) return type.kindFlag ? low | 0 : low;
  const value = (BigInt(env.extra(type, word + 1)) << 32n) | BigInt(low);
  return type.kindFlag ? BigInt.asIntN(64, value) : value;
};

const checkFuncProto = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, type.vlen * 8);
  if (type.nameOff !== 0) env.refuseType(type, 'Invalid name');
  refuseKindFlag(env, type);
  env.logType(type);
  return needed;
};

const checkFunc = (env: CheckEnv, type: RawType): number => {
  checkName(env, type, 'required');
  if (type.vlen > 1) env.refuseType(type, 'Invalid func linkage');
  refuseKindFlag(env, type);
  env.logType(type);
  return 0;
};

const checkVar = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, 4);
  refuseVlen(env, type);
  refuseKindFlag(env, type);
  checkName(env, type, 'required');
  if (type.third === 0 || !isTypeId(type.third)) env.refuseType(type, 'Invalid type_id');
  if (env.extra(type, 0) > 1) env.refuseType(type, 'Linkage not supported');
  env.logType(type);
  return needed;
};

const checkDatasec = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, type.vlen * 12);
  const size = type.third;
  if (size === 0) env.refuseType(type, 'size == 0');
  refuseKindFlag(env, type);
  if (type.nameOff === 0 || !env.isSectionName(type.nameOff)) env.refuseType(type, 'Invalid name');
  env.logType(type);
  let end = 0;
  let sum = 0;
  for (let i = 0; i < type.vlen; i++) {
    const entry = env.sectionVar(type, i);
    const refuse = (message: string): never => env.refuseSectionVar(type, entry, message);
    if (entry.type === 0 || !isTypeId(entry.type)) refuse('Invalid type_id');
    if (entry.offset < end || entry.offset >= size) refuse('Invalid offset');
    if (entry.size === 0 || entry.size > size) refuse('Invalid size');
    // the kernel adds 32-bit numbers here
    end = (entry.offset + entry.size) >>> 0;
    if (end > size) refuse('Invalid offset+size');
    env.logSectionVar(type, entry);
    sum += entry.size;
  }
  if (size < sum) env.refuseType(type, 'Invalid btf_info size');
  return needed;
};

const checkFloat = (env: CheckEnv, type: RawType): number => {
  refuseVlen(env, type);
  refuseKindFlag(env, type);
  if (![2, 4, 8, 12, 16].includes(type.third)) env.refuseType(type, 'Invalid type_size');
  env.logType(type);
  return 0;
};

const checkDeclTag = (env: CheckEnv, type: RawType, left: number): number => {
  const needed = needExtra(env, type, left, 4);
  if (env.isEmpty(type.nameOff)) env.refuseType(type, 'Invalid value');
  refuseVlen(env, type);
  if ((env.extra(type, 0) | 0) < -1) env.refuseType(type, 'Invalid component_idx');
  env.logType(type);
  return needed;
};

/** The rules of one type by itself; gives the bytes it has beyond the common ones. Source: the check_meta operations. */
const checkByKind = (env: CheckEnv, type: RawType, left: number): number => {
  switch (type.kind) {
    case KIND.INT:
      return checkInt(env, type, left);
    case KIND.ARRAY:
      return checkArray(env, type, left);
    case KIND.STRUCT:
    case KIND.UNION:
      return checkStruct(env, type, left);
    case KIND.ENUM:
    case KIND.ENUM64:
      return checkEnum(env, type, left);
    case KIND.FWD:
      return checkFwd(env, type);
    case KIND.FUNC:
      return checkFunc(env, type);
    case KIND.FUNC_PROTO:
      return checkFuncProto(env, type, left);
    case KIND.VAR:
      return checkVar(env, type, left);
    case KIND.DATASEC:
      return checkDatasec(env, type, left);
    case KIND.FLOAT:
      return checkFloat(env, type);
    case KIND.DECL_TAG:
      return checkDeclTag(env, type, left);
    default:
      return checkReference(env, type);
  }
};

/** Checks every type by itself and finds where it begins. Source: btf_check_all_metas, kernel/bpf/btf.c. */
export const checkAllMetas = (env: CheckEnv): void => {
  const start = env.header.hdrLen + env.header.typeOff;
  const end = start + env.header.typeLen;
  env.logTypeId = 1;
  for (let at = start; at < end; env.logTypeId++) {
    const id = env.logTypeId;
    const left = end - at;
    if (left < BTF_TYPE_BYTES) env.refuse(`[${id}] meta_left:${left} meta_needed:${BTF_TYPE_BYTES}`);
    const type = readRaw(env.view, at);
    if ((type.info & ~INFO_MASK) !== 0) env.refuse(`[${id}] Invalid btf_info:${type.info.toString(16)}`);
    if (infoKind(type.info) > KIND.ENUM64 || type.kind === KIND.VOID) env.refuse(`[${id}] Invalid kind:${type.kind}`);
    if (!env.isNameOffset(type.nameOff)) env.refuse(`[${id}] Invalid name_offset:${type.nameOff}`);
    const extra = checkByKind(env, type, left - BTF_TYPE_BYTES);
    if (env.count >= BTF_MAX_TYPE) env.refuse('Exceeded max num of types', 'E2BIG');
    env.offsets.push(at);
    at += BTF_TYPE_BYTES + extra;
  }
};
