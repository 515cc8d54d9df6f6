import { type Insn, SLOT_BYTES } from './insn.ts';

/** The bytes are not a sequence of whole instruction slots. */
export class MalformedCode extends Error {
  override readonly name = 'MalformedCode';
  /** Where the first incomplete slot starts. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * One `Insn` per 8-byte slot, little endian; nothing is judged but the length.
 * Throws `MalformedCode` when the length is not a multiple of 8. Source: RFC 9669 section 3.
 */
export function decodeProgram(bytes: Uint8Array): Insn[] {
  const slots = Math.floor(bytes.length / SLOT_BYTES);
  if (slots * SLOT_BYTES !== bytes.length) {
    throw new MalformedCode(`program length ${bytes.length} is not a multiple of ${SLOT_BYTES}`, slots * SLOT_BYTES);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const insns: Insn[] = new Array(slots);
  for (let i = 0; i < slots; i++) {
    const at = i * SLOT_BYTES;
    const regs = view.getUint8(at + 1);
    insns[i] = {
      code: view.getUint8(at),
      dst: regs & 0xf,
      src: regs >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    };
  }
  return insns;
}

/** The bytes of the slots, little endian. Fields are cut to their width. */
export function encodeProgram(insns: readonly Insn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < insns.length; i++) {
    const insn = insns[i]!;
    const at = i * SLOT_BYTES;
    view.setUint8(at, insn.code);
    view.setUint8(at + 1, (insn.dst & 0xf) | ((insn.src & 0xf) << 4));
    view.setInt16(at + 2, insn.off, true);
    view.setInt32(at + 4, insn.imm, true);
  }
  return bytes;
}
