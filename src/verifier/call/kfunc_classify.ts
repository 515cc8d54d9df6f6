import type { Btf } from '../../btf/btf.ts';
import { REGISTER_STRUCTS } from '../../btf/register_structs.ts';
import { type BtfType, isScalar, isStruct, kindWord } from '../../btf/types.ts';
import { Bug } from '../../contracts/errors.ts';
import { REG_BASES } from '../../contracts/type_words.ts';
import type { Env } from '../env.ts';
import { isNullReg } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { baseOf, PTR_TO_BTF_ID, SCALAR_VALUE } from '../state/reg_types.ts';
import { standsForStruct } from '../state/trust.ts';
import type { DeclaredKind, KfuncParam, KfuncShape } from './kfunc_shape.ts';

/** What a pointer argument of a kfunc is to be checked as. Source: get_kfunc_ptr_arg_type, kernel/bpf/verifier.c. */

export type ArgKind = DeclaredKind | 'null' | 'btf-id' | 'callback' | 'mem' | 'mem-size';

/** Structs in structs that are looked into. */
const MAX_NESTING = 3;

/** Made of scalars and arrays of them alone, also inside (__btf_type_is_scalar_struct). */
export function isScalarStruct(env: Env, btf: Btf, type: BtfType, depth = 0): boolean {
  if (!isStruct(type)) return false;
  for (const member of type.members) {
    const inner = btf.skipModifiers(member.type);
    if (isStruct(inner)) {
      if (depth >= MAX_NESTING) {
        env.verbose('max struct nesting depth exceeded\n');
        return false;
      }
      if (!isScalarStruct(env, btf, inner, depth + 1)) return false;
    } else if (inner.kind === 'ARRAY') {
      if (inner.nelems === 0 || !isScalar(btf.skipModifiers(inner.elem))) return false;
    } else if (!isScalar(inner)) return false;
  }
  return true;
}

/** Id of the kernel's struct that registers of this base type point to (reg2btf_ids). */
export function structOfBase(env: Env, base: number): number {
  const name = (REGISTER_STRUCTS as Readonly<Record<string, string>>)[REG_BASES[base] ?? ''];
  const struct = name === undefined ? undefined : env.profile.btf.findByName(name, 'STRUCT');
  if (!struct) throw new Bug(`no struct for register type ${base}`);
  return struct.id;
}

/** A register that stands for a struct: by its type id, or by what it is. */
export const pointsToStruct = (reg: Reg): boolean => baseOf(reg.type) === PTR_TO_BTF_ID || standsForStruct(baseOf(reg.type));

/** Memory that the kfunc reads and writes: scalars, or any bytes where their number is passed, too. */
function memoryKind(env: Env, shape: KfuncShape, param: KfuncParam, index: number): ArgKind {
  const size = shape.params[index + 1];
  const hasSize = size !== undefined && size.memSize !== null && (env.cur.top.regs[index + 2] as Reg).type === SCALAR_VALUE;
  const { pointee } = param;
  const isPlain = isScalar(pointee) || isScalarStruct(env, env.profile.btf, pointee);
  if (!isPlain && !(hasSize && pointee.kind === 'VOID')) {
    const type = `${kindWord(pointee.kind)} ${pointee.name}`;
    env.reject(
      'EINVAL',
      `arg#${index} pointer type ${type} must point to ${hasSize ? 'void, ' : ''}scalar, or struct with scalar`,
    );
  }
  return hasSize ? 'mem-size' : 'mem';
}

/** The kind of pointer argument `index`, from its declaration and from what the register holds. */
export function classifyArg(env: Env, shape: KfuncShape, param: KfuncParam, index: number): ArgKind {
  const reg = env.cur.top.regs[index + 1] as Reg;
  if (param.declared === 'ctx') return 'ctx';
  if (param.nullable && isNullReg(reg)) return 'null';
  if (param.declared !== null) return param.declared;
  if (pointsToStruct(reg)) {
    const { pointee } = param;
    if (!isStruct(pointee))
      env.reject(
        'EINVAL',
        `kernel function ${shape.desc.name} args#${index} pointer type ${kindWord(pointee.kind)} ${pointee.name} is not supported`,
      );
    return 'btf-id';
  }
  return param.isCallback ? 'callback' : memoryKind(env, shape, param, index);
}
