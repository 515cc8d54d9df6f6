/**
 * The format language of bpf_trace_printk(), bpf_snprintf() and bpf_seq_printf(). The verifier checks constant formats with it
 * and the helpers print by it. Source: bpf_bprintf_prepare(), kernel/bpf/helpers.c; what is skipped behind a pointer conversion:
 * bstr_printf(), lib/vsprintf.c.
 */

export type PrintfPiece =
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'number'; readonly sign: 'd' | 'u' | 'x' | 'X'; readonly bits: 32 | 64 } & PrintfField)
  | ({ readonly kind: 'char' } & PrintfField)
  /** `s`: kernel or user by address, `k`: kernel, `u`: user */
  | ({ readonly kind: 'string'; readonly from: 's' | 'k' | 'u' } & PrintfField)
  /** `p` and `K` print a hash, `x` the address, `s`, `S` and `B` a symbol */
  | ({ readonly kind: 'pointer'; readonly as: 'p' | 'K' | 'x' | 's' | 'S' | 'B' } & PrintfField)
  /** an address of 4 or 16 bytes, printed as text of its own width */
  | { readonly kind: 'ip'; readonly version: 4 | 6; readonly long: boolean };

export interface PrintfField {
  /** smallest number of characters; -1 when not given */
  readonly width: number;
  readonly left: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly zero: boolean;
}

/** ctype of the kernel, which takes bytes above 0x9f as Latin-1 (lib/ctype.c). */
export const isSpace = (code: number): boolean => (code >= 9 && code <= 13) || code === 32 || code === 0xa0;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isAlpha = (code: number): boolean =>
  (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || (code >= 0xc0 && code !== 0xd7 && code !== 0xf7);
const isAlnum = (code: number): boolean => isDigit(code) || isAlpha(code);
const isPunct = (code: number): boolean => (code > 0x20 && code < 0x7f && !isAlnum(code)) || (code > 0xa0 && !isAlpha(code));
const isPrint = (code: number): boolean => code >= 0x20 && code < 0x7f;

/** end of the format, white space or punctuation may follow a conversion that could be longer */
const endsConversion = (code: number): boolean => code === 0 || isSpace(code) || isPunct(code);

class FormatReader {
  readonly pieces: PrintfPiece[] = [];
  readonly #format: string;
  #at = 0;
  #text = '';

  constructor(format: string) {
    this.#format = format;
  }

  code(ahead = 0): number {
    const at = this.#at + ahead;
    return at < this.#format.length ? this.#format.charCodeAt(at) : 0;
  }

  char(ahead = 0): string {
    return this.#format[this.#at + ahead] ?? '';
  }

  get done(): boolean {
    return this.#at >= this.#format.length;
  }

  skip(count: number): void {
    this.#at += count;
  }

  keep(text: string): void {
    this.#text += text;
  }

  add(piece: PrintfPiece): void {
    this.flush();
    this.pieces.push(piece);
  }

  flush(): void {
    if (this.#text !== '') this.pieces.push({ kind: 'text', text: this.#text });
    this.#text = '';
  }

  /** letters and digits behind a pointer conversion belong to it and print nothing */
  skipAlnum(): void {
    while (isAlnum(this.code())) this.#at++;
  }

  field(): PrintfField {
    let flags = '';
    while ('0+- '.includes(this.char()) && this.char() !== '') {
      flags += this.char();
      this.#at++;
    }
    const start = this.#at;
    if (isDigit(this.code()) && this.code() !== 0x30) while (isDigit(this.code())) this.#at++;
    return {
      width: this.#at > start ? Number(this.#format.slice(start, this.#at)) : -1,
      left: flags.includes('-'),
      plus: flags.includes('+'),
      space: flags.includes(' '),
      zero: flags.includes('0'),
    };
  }
}

/**
 * The pieces of a format, which is Latin-1 text without its zero byte; null where the kernel answers -EINVAL: a control
 * character, an unknown conversion, or more conversions than arguments.
 */
export function parsePrintf(format: string, argCount: number): readonly PrintfPiece[] | null {
  const reader = new FormatReader(format);
  let conversions = 0;
  while (!reader.done) {
    const code = reader.code();
    if (code < 0x80 && !isPrint(code) && !isSpace(code)) return null;
    if (reader.char() !== '%') {
      reader.keep(reader.char());
      reader.skip(1);
    } else if (reader.char(1) === '%') {
      reader.keep('%');
      reader.skip(2);
    } else {
      if (conversions++ >= argCount) return null;
      reader.skip(1);
      const piece = reader.code() < 0x80 ? conversion(reader) : null;
      if (piece === null) return null;
      reader.add(piece);
    }
  }
  reader.flush();
  return reader.pieces;
}

function conversion(reader: FormatReader): PrintfPiece | null {
  const field = reader.field();
  const letter = reader.char();
  if (letter === 'p') return pointerConversion(reader, field);
  if (letter === 's') return stringConversion(reader, field, 's', 1);
  if (letter === 'c') {
    reader.skip(1);
    return { kind: 'char', ...field };
  }
  let longs = 0;
  while (longs < 2 && reader.char() === 'l') {
    longs++;
    reader.skip(1);
  }
  const sign = { i: 'd', d: 'd', u: 'u', x: 'x', X: 'X' }[reader.char()] as 'd' | 'u' | 'x' | 'X' | undefined;
  if (sign === undefined) return null;
  reader.skip(1);
  return { kind: 'number', sign, bits: longs > 0 ? 64 : 32, ...field };
}

/** `length`: characters of the conversion */
function stringConversion(reader: FormatReader, field: PrintfField, from: 's' | 'k' | 'u', length: number): PrintfPiece | null {
  if (!endsConversion(reader.code(length))) return null;
  reader.skip(length);
  return { kind: 'string', from, ...field };
}

function pointerConversion(reader: FormatReader, field: PrintfField): PrintfPiece | null {
  if (endsConversion(reader.code(1))) {
    reader.skip(1);
    return { kind: 'pointer', as: 'p', ...field };
  }
  const next = reader.char(1);
  if ((next === 'k' || next === 'u') && reader.char(2) === 's') return stringConversion(reader, field, next, 3);
  if (next === 'K' || next === 'x' || next === 's' || next === 'S' || next === 'B') {
    reader.skip(2);
    reader.skipAlnum();
    return { kind: 'pointer', as: next, ...field };
  }
  const version = reader.char(2);
  if ((next !== 'i' && next !== 'I') || (version !== '4' && version !== '6')) return null;
  reader.skip(3);
  reader.skipAlnum();
  return { kind: 'ip', version: version === '4' ? 4 : 6, long: next === 'i' };
}
