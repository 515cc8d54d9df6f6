import type { Env } from '../env.ts';
import { tnumText } from '../log/scalar_text.ts';
import { regTypeText } from '../log/state_lines.ts';
import { isZero, type Scalar } from '../scalar/scalar.ts';
import type { Reg } from '../state/reg.ts';
import {
  PTR_TO_ARENA,
  PTR_TO_CTX,
  PTR_TO_FLOW_KEYS,
  PTR_TO_MAP_KEY,
  PTR_TO_MAP_VALUE,
  PTR_TO_PACKET,
  PTR_TO_PACKET_END,
  PTR_TO_PACKET_META,
  PTR_TO_SOCK_COMMON,
  PTR_TO_SOCKET,
  PTR_TO_STACK,
  PTR_TO_TCP_SOCK,
  PTR_TO_XDP_SOCK,
} from '../state/reg_types.ts';

/** Rules that hold for every region of known size. Sizes and offsets in bytes. Source: kernel/bpf/verifier.c. */

const MAX_VAR_OFF = 1 << 29;

/** Alignment of packet data that strict mode assumes (NET_IP_ALIGN). */
const NET_IP_ALIGN = 2;

/** value as a JavaScript number; exact below 2^53, which every permitted offset is */
export const signedNumber = (lo: number, hi: number): number => hi * 0x1_0000_0000 + (lo >>> 0);
export const unsignedNumber = (lo: number, hi: number): number => (hi >>> 0) * 0x1_0000_0000 + (lo >>> 0);

/** An access at a known offset; the size of the region is unsigned (__check_mem_access). */
export function checkBounds(env: Env, regno: number, off: number, size: number, memSize: number, zeroSizeOk: boolean): void {
  if (off >= 0 && (size > 0 || (size === 0 && zeroSizeOk)) && off + size <= memSize >>> 0) return;
  const reg = env.cur.top.regs[regno] as Reg;
  switch (reg.type) {
    case PTR_TO_MAP_KEY:
      return env.reject('EACCES', `invalid access to map key, key_size=${memSize | 0} off=${off | 0} size=${size}`);
    case PTR_TO_MAP_VALUE:
      return env.reject('EACCES', `invalid access to map value, value_size=${memSize | 0} off=${off | 0} size=${size}`);
    case PTR_TO_PACKET:
    case PTR_TO_PACKET_META:
    case PTR_TO_PACKET_END:
      env.verbose(
        `invalid access to packet, off=${off | 0} size=${size}, R${regno}(id=${reg.id},off=${off | 0},r=${memSize | 0})\n`,
      );
      return env.refuse('EACCES');
    default:
      return env.reject('EACCES', `invalid access to memory, mem_size=${memSize >>> 0} off=${off | 0} size=${size}`);
  }
}

/** Runs `check`; a line of its own follows the refusal. */
export const withMessage = (env: Env, message: string, check: () => void): void => {
  try {
    check();
  } catch (error) {
    env.verbose(`${message}\n`);
    throw error;
  }
};

/** An access whose offset varies: both ends must lie inside (check_mem_region_access). */
export function checkMemRegionAccess(
  env: Env,
  regno: number,
  off: number,
  size: number,
  memSize: number,
  zeroSizeOk: boolean,
): void {
  const { scalar } = env.cur.top.regs[regno] as Reg;
  const isFixed = isZero(scalar);
  if (isFixed && off >= 0 && size > 0 && off + size <= memSize >>> 0) return;
  const min = signedNumber(scalar.sminLo, scalar.sminHi);
  if (min < 0 && (min < -0x8000_0000 - off || min + off < 0))
    env.reject('EACCES', `R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  withMessage(env, `R${regno} min value is outside of the allowed memory range`, () =>
    checkBounds(env, regno, (min + off) | 0, size, memSize, zeroSizeOk),
  );
  const max = unsignedNumber(scalar.umaxLo, scalar.umaxHi);
  if (max >= MAX_VAR_OFF) env.reject('EACCES', `R${regno} unbounded memory access, make sure to bounds check any such access`);
  withMessage(env, `R${regno} max value is outside of the allowed memory range`, () =>
    checkBounds(env, regno, max + off, size, memSize, zeroSizeOk),
  );
}

/** A pointer that must be used in its original form; a fixed offset is allowed where `fixedOffOk` (__check_ptr_off_reg). */
export function checkPtrOffReg(env: Env, reg: Reg, regno: number, fixedOffOk: boolean): void {
  if (reg.off < 0) env.reject('EACCES', `negative offset ${regTypeText(reg.type)} ptr R${regno} off=${reg.off} disallowed`);
  if (!fixedOffOk && reg.off !== 0)
    env.reject('EACCES', `dereference of modified ${regTypeText(reg.type)} ptr R${regno} off=${reg.off} disallowed`);
  if (!isZero(reg.scalar))
    env.reject('EACCES', `variable ${regTypeText(reg.type)} access var_off=${tnumText(reg.scalar)} disallowed`);
}

const DESCRIPTIONS = new Map<number, string>([
  [PTR_TO_FLOW_KEYS, 'flow keys '],
  [PTR_TO_MAP_KEY, 'key '],
  [PTR_TO_MAP_VALUE, 'value '],
  [PTR_TO_CTX, 'context '],
  [PTR_TO_STACK, 'stack '],
  [PTR_TO_SOCKET, 'sock '],
  [PTR_TO_SOCK_COMMON, 'sock_common '],
  [PTR_TO_TCP_SOCK, 'tcp_sock '],
  [PTR_TO_XDP_SOCK, 'xdp_sock '],
]);

/** Whether the variable offset plus `off` is a multiple of `size`; the low bits of the sum decide (tnum_add). */
const isAlignedAt = (scalar: Scalar, off: number, size: number): boolean => {
  const sum = (scalar.valueLo + off) | 0;
  const unknown = ((scalar.maskLo + sum) ^ sum) | scalar.maskLo;
  return ((sum | unknown) & (size - 1)) === 0;
};

/** Alignment: always of the stack, of everything in strict mode (check_ptr_alignment). */
export function checkPtrAlignment(env: Env, reg: Reg, off: number, size: number, strictOnce: boolean): void {
  const { type } = reg;
  const isStrict = env.flags.strictAlignment || strictOnce || type === PTR_TO_STACK;
  if (!isStrict || size === 1 || type === PTR_TO_ARENA) return;
  if (type === PTR_TO_PACKET || type === PTR_TO_PACKET_META) {
    if (!isAlignedAt(reg.scalar, NET_IP_ALIGN + reg.off + off, size))
      env.reject('EACCES', `misaligned packet access off ${NET_IP_ALIGN}+${tnumText(reg.scalar)}+${reg.off}+${off} size ${size}`);
    return;
  }
  if (!isAlignedAt(reg.scalar, reg.off + off, size))
    env.reject(
      'EACCES',
      `misaligned ${DESCRIPTIONS.get(type) ?? ''}access off ${tnumText(reg.scalar)}+${reg.off}+${off} size ${size}`,
    );
}
