import { BtfError } from '../../btf/error.ts';
import type { Env, Subprog } from '../env.ts';

/** Function and line information of a program. Source: check_btf_info and around it, kernel/bpf/verifier.c. */

/** Functions that may end the program by themselves need BTF that says what they return. */
function checkAbnormalReturn(env: Env): void {
  for (const sub of env.subprogs.slice(1)) {
    if (sub.hasLdAbs) env.reject('EINVAL', 'LD_ABS is not allowed in subprogs without BTF');
    if (sub.hasTailCall) env.reject('EINVAL', 'tail_call is not allowed in subprogs without BTF');
  }
}

/** A message that the kernel does not end with a newline. */
function refuseOpenLine(env: Env, text: string): never {
  env.verbose(text);
  return env.refuse('EINVAL');
}

/** What can be checked before the functions are known. */
export function checkBtfInfoEarly(env: Env): void {
  const { btf, funcInfo, lineInfo } = env.program;
  if (funcInfo.length === 0 && lineInfo.length === 0) return;
  if (!btf) env.refuse('EBADF');
  let previous = 0;
  funcInfo.forEach((info, i) => {
    if (i === 0) {
      if (info.insn !== 0) refuseOpenLine(env, `nonzero insn_off ${info.insn} for the first func info record`);
    } else if (info.insn <= previous)
      refuseOpenLine(env, `same or smaller insn offset (${info.insn}) than previous func info record (${previous})`);
    if (btf.typeOrUndefined(info.typeId)?.kind !== 'FUNC') refuseOpenLine(env, `invalid type id ${info.typeId} in func info`);
    previous = info.insn;
  });
}

function checkFunctions(env: Env): void {
  const { btf, funcInfo } = env.program;
  if (!btf || funcInfo.length === 0) {
    checkAbnormalReturn(env);
    return;
  }
  if (funcInfo.length !== env.subprogs.length)
    env.reject('EINVAL', "number of funcs in func_info doesn't match number of subprogs");
  funcInfo.forEach((info, i) => {
    const sub = env.subprogs[i] as Subprog;
    if (sub.start !== info.insn) env.reject('EINVAL', "func_info BTF section doesn't match subprog layout in BPF program");
    const func = btf.typeOf(info.typeId, 'FUNC');
    const proto = func && btf.typeOf(func.type, 'FUNC_PROTO');
    if (!func || !proto) throw new BtfError('function without prototype', { typeId: info.typeId });
    sub.btfTypeId = info.typeId;
    sub.isGlobal = func.linkage === 'global';
    const ret = btf.skipModifiers(proto.ret);
    const returnsNumber = (ret.kind === 'INT' && ret.size <= 8) || ret.kind === 'ENUM' || ret.kind === 'ENUM64';
    if (i > 0 && !returnsNumber && sub.hasLdAbs) env.reject('EINVAL', "LD_ABS is only allowed in functions that return 'int'.");
    if (i > 0 && !returnsNumber && sub.hasTailCall)
      env.reject('EINVAL', "tail_call is only allowed in functions that return 'int'.");
  });
}

function checkLines(env: Env): void {
  const { btf, lineInfo } = env.program;
  if (!btf || lineInfo.length === 0) return;
  const length = env.insns.length;
  let previous = 0;
  let next = 0;
  lineInfo.forEach((row, i) => {
    if ((i > 0 && row.insn <= previous) || row.insn >= length)
      env.reject('EINVAL', `Invalid line_info[${i}].insn_off:${row.insn} (prev_offset:${previous} prog->len:${length})`);
    if (env.insn(row.insn).code === 0) env.reject('EINVAL', `Invalid insn code at line_info[${i}].insn_off`);
    if (btf.stringAt(row.lineOff) === undefined || btf.stringAt(row.fileOff) === undefined)
      env.reject('EINVAL', `Invalid line_info[${i}].line_off or .file_name_off`);
    const sub = env.subprogs[next];
    if (sub && row.insn === sub.start) {
      sub.lineInfoIndex = i;
      next++;
    } else if (sub && sub.start < row.insn) env.reject('EINVAL', `missing bpf_line_info for func#${next}`);
    previous = row.insn;
  });
  const missing = env.subprogs.length - next;
  if (missing !== 0) env.reject('EINVAL', `missing bpf_line_info for ${missing} funcs starting from func#${next}`);
}

/** Functions and lines as they match the code. */
export function checkBtfInfo(env: Env): void {
  if (env.program.funcInfo.length === 0 && env.program.lineInfo.length === 0) {
    checkAbnormalReturn(env);
    return;
  }
  checkFunctions(env);
  checkLines(env);
}
