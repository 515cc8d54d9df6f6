/**
 * Names in the kernel are bytes. As text, a byte that is no part of UTF-8 is a lone surrogate, U+DC80 to U+DCFF (PEP 383), so that
 * every name has a text and comes back from it as it was.
 */

const FIRST = 0xdc80;
const LAST = 0xdcff;
const ESCAPES = /[\udc80-\udcff]/u;

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function bytesOfText(text: string): Uint8Array {
  if (!ESCAPES.test(text)) return encoder.encode(text);
  const out: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code >= FIRST && code <= LAST) out.push(code & 0xff);
    else out.push(...encoder.encode(character));
  }
  return Uint8Array.from(out);
}

/** Bytes of the UTF-8 sequence that begins with `lead`; 1 for a byte that begins none. */
const sequenceLength = (lead: number): number => (lead < 0xc2 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 1);

function decodes(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

export function textOfBytes(bytes: Uint8Array): string {
  const whole = decodes(bytes);
  if (whole !== null) return whole;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at]!;
    const size = sequenceLength(lead);
    const found = lead < 0x80 ? String.fromCharCode(lead) : size === 1 ? null : decodes(bytes.subarray(at, at + size));
    text += found ?? String.fromCharCode(FIRST - 0x80 + lead);
    at += found === null ? 1 : size;
  }
  return text;
}
