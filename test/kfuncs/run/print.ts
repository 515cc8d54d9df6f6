/** Prints a register as a signed number; r0 to r5 are lost, and 8 bytes of stack from -64. */
export const print = (register: string): string => `
  r3 = ${register}; r1 = 0x0a6425 ll; *(u64 *)(r10 - 64) = r1; r1 = r10; r1 += -64; w2 = 4; call bpf_trace_printk`;
