import type { Btf } from '../../btf/btf.ts';
import { type BtfType, isModifier, isStruct, type PtrType } from '../../btf/types.ts';
import type { ContextArgRule, ProgType } from '../../contracts/prog_type.ts';
import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import type { Env } from '../env.ts';

/** Parameters that are the program's context. Source: btf_is_prog_ctx_type, btf_validate_prog_ctx_type, kernel/bpf/btf.c. */

/** Structs of the kernel that may be named instead of the context as programs see it (btf_is_projection_of). */
export const PROJECTIONS: Readonly<Record<string, string>> = { __sk_buff: 'sk_buff', xdp_md: 'xdp_buff' };

/** The pointee up to its first typedef. */
function pointeeTypedef(btf: Btf, pointer: PtrType): BtfType {
  let type = btf.type(pointer.type);
  while (isModifier(type) && type.kind !== 'TYPEDEF') type = btf.type(type.type);
  return type;
}

const ruleOf = (env: Env): ContextArgRule => env.progType.contextArg(env.subject.attachType);

const isNamedTypedef = (type: BtfType, rule: ContextArgRule): boolean =>
  type.kind === 'TYPEDEF' && (rule.typedefs?.includes(type.name) ?? false);

/** The parameter's type alone says that it is the context. */
export const isContextType = (env: Env, btf: Btf, pointer: PtrType): boolean =>
  isContextOf(env.progType, env.subject.attachType, btf, pointer);

/** The same for any program type, such as that of a program which is attached to. */
export function isContextOf(progType: ProgType, attachType: number, btf: Btf, pointer: PtrType): boolean {
  if (progType.id === PROG_TYPES.kprobe && isNamedTypedef(pointeeTypedef(btf, pointer), progType.contextArg(attachType)))
    return true;
  const target = btf.skipModifiers(pointer.type);
  const { contextStruct } = progType;
  if (!isStruct(target) || contextStruct === null) return false;
  return target.name === contextStruct || target.name === PROJECTIONS[contextStruct];
}

const isPermitted = (type: BtfType, rule: ContextArgRule): boolean => {
  if (rule.anything || (rule.u64 && type.kind === 'INT' && type.size === 8)) return true;
  if (type.kind !== 'STRUCT') return false;
  const isPrefixed = rule.structPrefix !== undefined && type.name.startsWith(rule.structPrefix);
  return isPrefixed || (rule.structs?.includes(type.name) ?? false);
};

/** A parameter that is tagged as the context has a type that the context may have. */
export function checkContextType(env: Env, btf: Btf, pointer: PtrType, index: number): void {
  const rule = ruleOf(env);
  if (isNamedTypedef(pointeeTypedef(btf, pointer), rule)) return;
  const target = btf.skipModifiers(pointer.type);
  if (target.kind === 'VOID') return;
  if (target.name === '') env.reject('EINVAL', `arg#${index} type doesn't have a name`);
  if (isPermitted(target, rule)) return;
  const { contextStruct } = env.progType;
  if (contextStruct === null) env.reject('EINVAL', `arg#${index} should be void pointer`);
  if (target.kind !== 'STRUCT' || target.name !== contextStruct)
    env.reject('EINVAL', `arg#${index} should be \`struct ${contextStruct} *\``);
}
