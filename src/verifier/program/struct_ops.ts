import type { BtfType, FuncProtoType } from '../../btf/types.ts';
import type { ContextArg, Env } from '../env.ts';
import { PTR_MAYBE_NULL, PTR_TO_BTF_ID, PTR_TRUSTED } from '../state/reg_types.ts';

/** Programs that implement a member of a table of functions. Source: check_struct_ops_btf_id, kernel/bpf/verifier.c. */

/** Prototype behind a pointer to a function; undefined for anything else (btf_type_resolve_func_ptr). */
function functionPointer(env: Env, typeId: number): FuncProtoType | undefined {
  const { btf } = env.profile;
  const pointer: BtfType = btf.skipModifiers(typeId);
  if (pointer.kind !== 'PTR') return undefined;
  const target = btf.skipModifiers(pointer.type);
  return target.kind === 'FUNC_PROTO' ? target : undefined;
}

/**
 * Arguments that the stub of a member names `__nullable` or `__ref`: they may be NULL, or bring a reference
 * (prepare_arg_info, kernel/bpf/bpf_struct_ops.c).
 */
function declaredArgs(env: Env, stubName: string | undefined, proto: FuncProtoType): ContextArg[] {
  const { btf } = env.profile;
  const stub = stubName === undefined ? undefined : btf.findByName(stubName, 'FUNC');
  const stubProto = stub && btf.typeOf(stub.type, 'FUNC_PROTO');
  if (!stubProto) return [];
  const args: ContextArg[] = [];
  let off = 0;
  proto.params.forEach((param, i) => {
    const name = stubProto.params[i]?.name ?? '';
    const isNullable = name.endsWith('__nullable');
    const refcounted = name.endsWith('__ref');
    const pointer = btf.skipModifiers(param.type);
    if ((isNullable || refcounted) && pointer.kind === 'PTR') {
      const regType = PTR_TO_BTF_ID | PTR_TRUSTED | (isNullable ? PTR_MAYBE_NULL : 0);
      args.push({ off, regType, btf, btfId: btf.skipModifiers(pointer.type).id, refcounted, refObjId: 0 });
    }
    off += Math.ceil((btf.sizeOf(param.type) ?? 8) / 8) * 8;
  });
  return args;
}

/** Checks the member and remembers its prototype. */
export function checkStructOpsTarget(env: Env): void {
  if (!env.isGplCompatible) env.reject('EINVAL', 'struct ops programs must have a GPL compatible license');
  const { attach } = env.program;
  if (!attach || attach.btfId === 0) env.refuse('ENOTSUPP');
  const { btf, structOps } = env.profile;
  const struct = btf.typeOrUndefined(attach.btfId);
  const entry = struct?.kind === 'STRUCT' ? structOps.get(struct.name) : undefined;
  if (!entry || struct?.kind !== 'STRUCT')
    env.reject('ENOTSUPP', `attach_btf_id ${attach.btfId >>> 0} is not a supported struct`);
  const index = env.program.expectedAttachType;
  const member = struct.members[index];
  if (!member) env.reject('EINVAL', `attach to invalid member idx ${index} of struct ${entry.name}`);
  const proto = functionPointer(env, member.type);
  if (!proto) env.reject('EINVAL', `attach to invalid member ${member.name}(@idx ${index}) of struct ${entry.name}`);
  const unsupported = `attach to unsupported member ${member.name} of struct ${entry.name}`;
  if (!entry.members.includes(member.name)) env.reject('ENOTSUPP', unsupported);
  const errno = entry.checkMember(member.name, env.subject.sleepable);
  if (errno !== null) env.reject(errno, unsupported);
  env.contextArgs = declaredArgs(env, entry.stubs.get(member.name), proto);
  if (env.contextArgs.some((arg) => arg.refcounted) && env.subprogs.some((sub) => sub.hasTailCall))
    env.reject('EINVAL', 'program with __ref argument cannot tail call');
  env.structOps = entry;
  env.attachProto = { btf, protoId: proto.id, name: member.name, skipFirstArg: false, targetIsBpf: false };
}
