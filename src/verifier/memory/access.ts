import type { Env } from '../env.ts';
import { regTypeText } from '../log/state_lines.ts';
import { loaded, signExtend64, truncate } from '../scalar/extend.ts';
import { UNKNOWN } from '../scalar/scalar.ts';
import { markRegUnknown, withScalar } from '../state/access.ts';
import type { Reg } from '../state/reg.ts';
import { mapOf } from '../state/reg.ts';
import {
  baseOf,
  CONST_PTR_TO_MAP,
  isMaybeNull,
  isSocketPointer,
  MEM_RDONLY,
  PTR_TO_ARENA,
  PTR_TO_BTF_ID,
  PTR_TO_BUF,
  PTR_TO_CTX,
  PTR_TO_FLOW_KEYS,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_MEM,
  PTR_TO_PACKET,
  PTR_TO_PACKET_META,
  PTR_TO_STACK,
  PTR_TO_TP_BUFFER,
  PTR_UNTRUSTED,
  SCALAR_VALUE,
} from '../state/reg_types.ts';
import { isPointerValue } from '../state/trust.ts';
import { checkBtfObjectAccess, checkMapObjectAccess } from './btf_object.ts';
import { checkBufferAccess, checkFlowKeysAccess } from './buffer.ts';
import { checkContextAccess } from './context.ts';
import { checkMapValueAccess } from './map_value.ts';
import { checkPacketMemAccess } from './packet.ts';
import { checkMemRegionAccess, checkPtrAlignment } from './region.ts';
import { checkSocketAccess } from './socket.ts';
import { checkStackAccess } from './stack_read.ts';

/** A load or store, as the room of its pointer needs it. `off` includes the fixed offset of the pointer. */
interface Access {
  readonly regno: number;
  readonly off: number;
  readonly size: number;
  readonly write: boolean;
  readonly valueRegno: number;
}

const refuseWrite = (env: Env, regno: number, type: number): never =>
  env.reject('EACCES', `R${regno} cannot write into ${regTypeText(type)}`);

function refuseLeak(env: Env, access: Access, where: string): void {
  if (access.write && access.valueRegno >= 0 && isPointerValue(env, access.valueRegno))
    env.reject('EACCES', `R${access.valueRegno} leaks addr into ${where}`);
}

/** What a load of untyped bytes gives: any number. */
function loadUnknown(env: Env, access: Access, discards: boolean): void {
  if (access.valueRegno >= 0 && !discards) markRegUnknown(env, env.cur.writableTop(), access.valueRegno);
}

function checkMemory(env: Env, reg: Reg, access: Access): void {
  const { regno, off, size, write } = access;
  const isReadOnly = (reg.type & MEM_RDONLY) !== 0;
  if (isMaybeNull(reg.type)) env.reject('EACCES', `R${regno} invalid mem access '${regTypeText(reg.type)}'`);
  if (write && isReadOnly) refuseWrite(env, regno, reg.type);
  refuseLeak(env, access, 'mem');
  // loads from untrusted memory are fault-protected, whatever their offset
  if (!isReadOnly || (reg.type & PTR_UNTRUSTED) === 0) checkMemRegionAccess(env, regno, off, size, reg.aux, false);
  loadUnknown(env, access, write);
}

function checkBuffer(env: Env, reg: Reg, access: Access): void {
  const isReadOnly = (reg.type & MEM_RDONLY) !== 0;
  if (isReadOnly && access.write) refuseWrite(env, access.regno, reg.type);
  checkBufferAccess(env, reg, access.regno, access.off, access.size, isReadOnly ? 'rdonly' : 'rdwr');
  loadUnknown(env, access, access.write);
}

function checkMapKey(env: Env, reg: Reg, access: Access): void {
  if (access.write) env.reject('EACCES', `write to change key R${access.regno} not allowed`);
  checkMemRegionAccess(env, access.regno, access.off, access.size, mapOf(reg).def.keySize, false);
  loadUnknown(env, access, false);
}

function checkSocket(env: Env, reg: Reg, access: Access): void {
  if (access.write) refuseWrite(env, access.regno, reg.type);
  checkSocketAccess(env, access.regno, access.off, access.size);
  loadUnknown(env, access, false);
}

/** Pointers that programs use less often than those to the stack, to map values, packets and the context. */
function checkOther(env: Env, reg: Reg, access: Access): void {
  const { regno, off, size, write, valueRegno } = access;
  const { type } = reg;
  if (type === PTR_TO_MAP_KEY) checkMapKey(env, reg, access);
  else if (baseOf(type) === PTR_TO_MEM) checkMemory(env, reg, access);
  else if (type === PTR_TO_FLOW_KEYS) {
    refuseLeak(env, access, 'flow keys');
    checkFlowKeysAccess(env, off, size);
    loadUnknown(env, access, write);
  } else if (isSocketPointer(type)) checkSocket(env, reg, access);
  else if (type === PTR_TO_TP_BUFFER) {
    checkBufferAccess(env, reg, regno, off, size, 'tracepoint');
    loadUnknown(env, access, write);
  } else if (baseOf(type) === PTR_TO_BTF_ID && !isMaybeNull(type)) checkBtfObjectAccess(env, regno, off, size, write, valueRegno);
  else if (type === CONST_PTR_TO_MAP) checkMapObjectAccess(env, regno, off, size, write, valueRegno);
  else if (baseOf(type) === PTR_TO_BUF && !isMaybeNull(type)) checkBuffer(env, reg, access);
  else if (type === PTR_TO_ARENA) loadUnknown(env, access, write);
  else env.reject('EACCES', `R${regno} invalid mem access '${regTypeText(type)}'`);
}

/** A load narrower than a register extends what it read. */
function extendLoaded(env: Env, regno: number, size: 1 | 2 | 4, signExtends: boolean): void {
  const reg = env.cur.top.regs[regno] as Reg;
  if (reg.type !== SCALAR_VALUE) return;
  const { scalar } = reg;
  const next = signExtends ? signExtend64(scalar, size) : scalar === UNKNOWN ? loaded(size) : truncate(scalar, size);
  env.cur.writableTop().refineReg(regno, withScalar(reg, next));
}

/**
 * Checks that memory at register `regno` + `off` may be read into, or written from, register `valueRegno` (-1: nothing is loaded,
 * or an immediate is stored), and gives the loaded register what is known of it (check_mem_access).
 */
export function checkMemAccess(
  env: Env,
  insnIdx: number,
  regno: number,
  off: number,
  size: number,
  write: boolean,
  valueRegno: number,
  strictAlignmentOnce: boolean,
  signExtends: boolean,
): void {
  const reg = env.cur.top.regs[regno] as Reg;
  checkPtrAlignment(env, reg, off, size, strictAlignmentOnce);
  const at = (off + reg.off) | 0;
  switch (reg.type) {
    case PTR_TO_STACK:
      checkStackAccess(env, regno, at, size, write, valueRegno, insnIdx);
      break;
    case PTR_TO_MAP_VALUE:
      checkMapValueAccess(env, regno, at, size, write, valueRegno, insnIdx, signExtends);
      break;
    case PTR_TO_CTX:
      checkContextAccess(env, regno, at, size, write, valueRegno, insnIdx, signExtends);
      break;
    case PTR_TO_PACKET:
    case PTR_TO_PACKET_META:
      checkPacketMemAccess(env, regno, at, size, write, valueRegno);
      break;
    default:
      checkOther(env, reg, { regno, off: at, size, write, valueRegno });
  }
  if (!write && size < 8 && valueRegno >= 0) extendLoaded(env, valueRegno, size as 1 | 2 | 4, signExtends);
}
