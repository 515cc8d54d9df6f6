import type { Btf } from './btf.ts';
import { BtfError } from './error.ts';
import { BTF_INT_SIGNED, type BtfType, type FuncProtoType, isAnyEnum, isStruct, kindWord } from './types.ts';

/** How a kernel function's return value and arguments are passed. Source: struct btf_func_model, include/linux/bpf.h. */
export interface FuncModel {
  /** Bytes; 0: void. */
  readonly retSize: number;
  readonly retSigned: boolean;
  readonly args: readonly { readonly size: number; readonly signed: boolean; readonly struct: boolean }[];
}

const MAX_BPF_FUNC_REG_ARGS = 5;
const MAX_BPF_FUNC_ARGS = 12;

/** Bytes and bare type; size undefined where the kernel has none for arguments. Source: __get_type_size, kernel/bpf/btf.c. */
const passedAs = (btf: Btf, id: number): { size: number | undefined; type: BtfType } => {
  const type = btf.skipModifiers(id);
  if (type.kind === 'PTR') return { size: 8, type };
  if (type.kind === 'INT' || isAnyEnum(type) || isStruct(type)) return { size: type.size, type };
  return { size: id === 0 ? 0 : undefined, type };
};

const isSigned = (type: BtfType): boolean => type.kind === 'INT' && (type.encoding & BTF_INT_SIGNED) !== 0;

/**
 * The model of a function; without a prototype it takes five 64-bit words. Throws `BtfError` with the kernel's line for one
 * that cannot be called or traced. Source: btf_distill_func_proto, kernel/bpf/btf.c.
 */
export const distillFuncProto = (btf: Btf, proto: FuncProtoType | undefined, name: string): FuncModel => {
  if (proto === undefined) {
    const word = { size: 8, signed: false, struct: false };
    return { retSize: 8, retSigned: false, args: Array.from({ length: MAX_BPF_FUNC_REG_ARGS }, () => word) };
  }
  const nargs = proto.params.length;
  if (nargs > MAX_BPF_FUNC_ARGS) throw new BtfError(`The function ${name} has ${nargs} arguments. Too many.`);
  const ret = passedAs(btf, proto.ret);
  if (ret.size === undefined || isStruct(ret.type))
    throw new BtfError(`The function ${name} return type ${kindWord(ret.type.kind)} is unsupported.`);
  const args = proto.params.map((param, i) => {
    if (i === nargs - 1 && param.type === 0) throw new BtfError(`The function ${name} with variable args is unsupported.`);
    const { size, type } = passedAs(btf, param.type);
    if (size === undefined || size > 16)
      throw new BtfError(`The function ${name} arg${i} type ${kindWord(type.kind)} is unsupported.`);
    if (size === 0) throw new BtfError(`The function ${name} has malformed void argument.`);
    return { size, signed: isSigned(type), struct: isStruct(type) };
  });
  return { retSize: ret.size, retSigned: isSigned(ret.type), args };
};

/** What the kernel compares of two types as their `info` word: kind, number of parts and flag. */
const infoOf = (type: BtfType): string => {
  switch (type.kind) {
    case 'STRUCT':
    case 'UNION':
      return `${type.kind} ${type.members.length} ${type.kindFlag}`;
    case 'ENUM':
    case 'ENUM64':
      return `${type.kind} ${type.values.length} ${type.signed}`;
    case 'FUNC_PROTO':
      return `${type.kind} ${type.params.length}`;
    case 'FWD':
      return `${type.kind} ${type.of}`;
    default:
      return type.kind;
  }
};

const sizeIfAny = (type: BtfType): number | undefined => ('size' in type ? type.size : undefined);

/**
 * Throws `BtfError` with the kernel's line unless the first function can replace the second: both global, with equal return
 * types and equal scalars and pointers to equally named structs. Source: btf_check_func_type_match, kernel/bpf/btf.c.
 */
export const checkFuncTypeMatch = (btf1: Btf, id1: number, btf2: Btf, id2: number): void => {
  const func1 = btf1.typeOf(id1, 'FUNC');
  const func2 = btf2.typeOf(id2, 'FUNC');
  if (func1 === undefined || func2 === undefined) throw new BtfError('not a function', { errno: 'EFAULT' });
  const [name1, name2] = [func1.name, func2.name];
  for (const func of [func1, func2]) {
    if (func.linkage !== 'global') throw new BtfError(`${func.name}() is not a global function`);
  }
  const proto1 = btf1.typeOf(func1.type, 'FUNC_PROTO');
  const proto2 = btf2.typeOf(func2.type, 'FUNC_PROTO');
  if (proto1 === undefined || proto2 === undefined) throw new BtfError('not a function', { errno: 'EFAULT' });
  const [nargs1, nargs2] = [proto1.params.length, proto2.params.length];
  if (nargs1 !== nargs2) throw new BtfError(`${name1}() has ${nargs1} args while ${name2}() has ${nargs2} args`);

  const ret1 = btf1.skipModifiers(proto1.ret);
  const ret2 = btf2.skipModifiers(proto2.ret);
  if (infoOf(ret1) !== infoOf(ret2)) {
    const [kind1, kind2] = [kindWord(ret1.kind), kindWord(ret2.kind)];
    throw new BtfError(`Return type ${kind1} of ${name1}() doesn't match type ${kind2} of ${name2}()`);
  }
  proto1.params.forEach((param, i) => {
    const arg1 = btf1.skipModifiers(param.type);
    const arg2 = btf2.skipModifiers(proto2.params[i]!.type);
    if (infoOf(arg1) !== infoOf(arg2))
      throw new BtfError(`arg${i} in ${name1}() is ${kindWord(arg1.kind)} while ${name2}() has ${kindWord(arg2.kind)}`);
    const [size1, size2] = [sizeIfAny(arg1), sizeIfAny(arg2)];
    if (size1 !== size2) throw new BtfError(`arg${i} in ${name1}() has size ${size1} while ${name2}() has ${size2}`);
    if (arg1.kind === 'INT' || isAnyEnum(arg1)) return;
    if (arg1.kind !== 'PTR' || arg2.kind !== 'PTR') throw new BtfError(`arg${i} in ${name1}() has unrecognized type`);
    const target1 = btf1.skipModifiers(arg1.type);
    const target2 = btf2.skipModifiers(arg2.type);
    if (!isStruct(target1)) throw new BtfError(`arg${i} in ${name1}() is not a pointer to context`);
    if (!isStruct(target2)) throw new BtfError(`arg${i} in ${name2}() is not a pointer to context`);
    if (target1.name !== target2.name)
      throw new BtfError(`arg${i} ${name1}(struct ${target1.name} *) doesn't match ${name2}(struct ${target2.name} *)`);
  });
};
