/**
 * The little that entry code (a helper, kfunc or iterator) may ask of the machine while it runs. Implemented by `src/vm`.
 * 64-bit values travel as two int32 halves; addresses are guest addresses (low half: offset into guest memory).
 */
export interface HostCall {
  /** number of the argument that is asked for: 0 to 4 */
  argLo(index: number): number;
  argHi(index: number): number;
  /** the argument as an unsigned 64-bit number */
  arg(index: number): bigint;
  setReturn(lo: number, hi: number): void;
  /** returns a signed number (an errno is negative) sign-extended to 64 bits */
  setReturnNumber(value: number): void;
  setReturnBigint(value: bigint): void;
}
