import { Bug } from '../../contracts/errors.ts';
import { BPF_DW, sizeOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import type { Env } from '../env.ts';
import { constScalar } from '../scalar/scalar.ts';
import { checkOverwritten, setRegTo } from '../state/access.ts';
import { pointerReg, type Reg, scalarReg, UNKNOWN_REG } from '../state/reg.ts';
import { baseOf, CONST_PTR_TO_MAP, PTR_TO_BTF_ID, PTR_TO_FUNC, PTR_TO_MAP_VALUE } from '../state/reg_types.ts';

const BPF_MAP_TYPE_ARENA = 33;

/** A 64-bit constant, or what its pseudo form refers to (check_ld_imm). */
export function checkLdImm(env: Env, insn: Insn): void {
  if (sizeOf(insn.code) !== BPF_DW) env.reject('EINVAL', 'invalid BPF_LD_IMM insn');
  if (insn.off !== 0) env.reject('EINVAL', 'BPF_LD_IMM64 uses reserved fields');
  checkOverwritten(env, insn.dst);
  const reg = insn.src === 0 ? scalarReg(constScalar(insn.imm, env.insn(env.insnIdx + 1).imm)) : referred(env);
  setRegTo(env, env.cur.writableTop(), insn.dst, reg);
}

function referred(env: Env): Reg {
  const ref = env.facts.immRef[env.insnIdx];
  if (!ref) throw new Bug(`ld_imm64 at ${env.insnIdx} was not resolved`);
  switch (ref.kind) {
    case 'map':
      return pointerReg(CONST_PTR_TO_MAP, ref.map);
    case 'map-value': {
      // programs reach an arena through the numbers that user space agreed on
      if (ref.map.def.type === BPF_MAP_TYPE_ARENA) return UNKNOWN_REG;
      const reg = pointerReg(PTR_TO_MAP_VALUE, ref.map);
      reg.off = ref.off;
      return reg;
    }
    case 'btf-var':
      return baseOf(ref.regType) === PTR_TO_BTF_ID
        ? pointerReg(ref.regType, ref.btf, ref.btfId)
        : pointerReg(ref.regType, null, ref.memSize);
    case 'func': {
      if (env.program.funcInfo.length === 0) env.reject('EINVAL', 'missing btf func_info');
      if (env.subprogs[ref.subprog]?.isGlobal) env.reject('EINVAL', 'callback function not static');
      return pointerReg(PTR_TO_FUNC, null, ref.subprog);
    }
  }
}
