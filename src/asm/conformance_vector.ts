import { readHex } from './map_table.ts';

/** One test file of the public ISA conformance suite. */
export interface ConformanceVector {
  readonly asm: string | null;
  /** the program as bytes; where it is given it wins over `asm` */
  readonly raw: Uint8Array | null;
  /** what r1 points to at entry */
  readonly mem: Uint8Array;
  /** r0 at exit, unsigned */
  readonly result: bigint | null;
  /** expected error; empty when any will do */
  readonly error: string | null;
}

/** A token of a `raw` section: a whole instruction as a 64-bit number, or one byte. */
const rawBytes = (token: string): Uint8Array => {
  const number = /^0x([0-9a-fA-F]{3,16})$/.exec(token);
  if (number === null) return readHex(token.replace(/^0x/, '')) ?? new Uint8Array(0);
  return readHex(number[1]!.padStart(16, '0'))!.reverse();
};

/**
 * Reads a test file: `#` starts a comment, a line with `--` opens a section, sections of other names are ignored.
 */
export function readConformanceVector(text: string): ConformanceVector {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const code = line.split('#', 1)[0]!.trim();
    if (code.includes('--')) {
      current = [];
      sections.set(code.replace('--', '').trim(), current);
    } else if (code !== '') {
      current.push(code);
    }
  }
  const joined = (name: string, separator: string): string | null => sections.get(name)?.join(separator) ?? null;
  const result = joined('result', '');
  const raw = joined('raw', ' ');
  return {
    asm: joined('asm', '\n'),
    raw: raw === null ? null : Uint8Array.from(raw.split(/\s+/).flatMap((token) => [...rawBytes(token)])),
    mem: readHex(joined('mem', ' ') ?? '') ?? new Uint8Array(0),
    result: result === null || !/^(?:0x[0-9a-fA-F]+|\d+)$/.test(result) ? null : BigInt(result),
    error: joined('error', ' '),
  };
}
