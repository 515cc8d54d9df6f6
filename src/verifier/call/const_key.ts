import type { Env } from '../env.ts';
import { signedNumber } from '../memory/region.ts';
import { markSlotChainPrecision } from '../prune/precision.ts';
import { isConst } from '../scalar/scalar.ts';
import type { Reg } from '../state/reg.ts';
import { PTR_TO_STACK, SCALAR_VALUE } from '../state/reg_types.ts';
import { isSpilled, type Slot, STACK_SPILL, STACK_ZERO, slotType } from '../state/stack_slot.ts';

/** Bytes of the type in a row, from byte `from` downwards. */
function runLength(slot: Slot, from: number, type: number): number {
  let length = 0;
  for (let i = from; i >= 0 && slotType(slot, i) === type; i--) length++;
  return length;
}

/**
 * The number that a key on the stack is known to be, -1 when it is not known (get_constant_map_key). The number becomes precise:
 * that the lookup cannot fail depends on it. The stack under the key has been checked to be readable.
 */
export function constantMapKey(env: Env, key: Reg, keySize: number): number {
  if (!env.bpfCapable || key.type !== PTR_TO_STACK || !isConst(key.scalar)) return -1;
  const depth = -(key.off + key.scalar.valueLo) - 1;
  const spi = depth >> 3;
  const byte = depth & 7;
  const slot = env.cur.frame(key.frameno).slot(spi);
  if (runLength(slot, byte, STACK_ZERO) >= keySize) return 0;
  if (!isSpilled(slot) || slot.reg.type !== SCALAR_VALUE) return -1;
  if (runLength(slot, byte, STACK_SPILL) !== keySize || !isConst(slot.reg.scalar)) return -1;
  const { valueLo, valueHi } = slot.reg.scalar;
  markSlotChainPrecision(env, key.frameno, spi);
  return signedNumber(valueLo, valueHi);
}
