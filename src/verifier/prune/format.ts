/** Registers of a mask as the log lists them: "r0,r2". Source: fmt_reg_mask, kernel/bpf/verifier.c. */
export const regMaskText = (mask: number): string => {
  let text = '';
  for (let rest = mask; rest !== 0; rest &= rest - 1) {
    const regno = 31 - Math.clz32(rest & -rest);
    text += text === '' ? `r${regno}` : `,r${regno}`;
  }
  return text;
};

/** Stack slots of a mask by their offsets from the frame pointer: "-8,-24". Source: bpf_fmt_stack_mask, kernel/bpf/verifier.c. */
export const stackMaskText = (lo: number, hi: number): string => {
  let text = '';
  for (let word = 0; word < 2; word++) {
    for (let rest = word === 0 ? lo : hi; rest !== 0; rest &= rest - 1) {
      const spi = word * 32 + 31 - Math.clz32(rest & -rest);
      text += text === '' ? `${-(spi + 1) * 8}` : `,${-(spi + 1) * 8}`;
    }
  }
  return text;
};
