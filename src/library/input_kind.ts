/** What an input is, told by its content: a clang object, a text program, bytecode, or bytecode written in hexadecimal. */
export type InputKind = 'object' | 'text' | 'bytecode' | 'hex';

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const SLOT_BYTES = 8;
/** Shortest text in which hexadecimal digits are taken for code: one instruction. */
const HEX_DIGITS_OF_SLOT = 16;

const isControl = (byte: number): boolean => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;

/** How much of a file is looked at for bytes that no text has. */
const PROBE = 1 << 16;

export function inputKind(bytes: Uint8Array): InputKind {
  if (ELF_MAGIC.every((byte, i) => bytes[i] === byte)) return 'object';
  const probe = bytes.subarray(0, PROBE);
  if (probe.some(isControl)) return 'bytecode';
  const text = new TextDecoder('latin1').decode(probe);
  if (/^(?:0x)?[0-9a-fA-F\s]*$/.test(text) && text.replace(/^0x|\s/g, '').length >= HEX_DIGITS_OF_SLOT) return 'hex';
  return bytes.length > 0 && bytes.length % SLOT_BYTES === 0 && !isUtf8(bytes) ? 'bytecode' : 'text';
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
