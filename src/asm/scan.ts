import type { Diagnostics, Position } from './diagnostics.ts';

/** A place in the source that the following instruction belongs to: `; TEXT @ FILE:LINE[:COLUMN]`. */
export interface SourceNote {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Piece =
  | { readonly kind: 'label'; readonly name: string; readonly at: Position }
  | {
      readonly kind: 'statement';
      readonly text: string;
      readonly at: Position;
      /** slot number and code byte that a pasted log or dump shows in front */
      readonly slot: number | null;
      readonly codeByte: number | null;
    }
  | { readonly kind: 'directive'; readonly text: string; readonly at: Position }
  /** `.c { … }` or `.struct NAME { … }`: C text, `at` is where it begins */
  | { readonly kind: 'c'; readonly text: string; readonly at: Position }
  /** `.btf { … }`: a blob in base64 */
  | { readonly kind: 'btf'; readonly text: string; readonly at: Position }
  | { readonly kind: 'note'; readonly note: SourceNote; readonly at: Position };

const NOTE = /^\s*; ?(.*) @ (\S+?):(\d+)(?::(\d+))?\s*$/;
const LOG_PREFIX = /^\s*(\d+):\s*\(([0-9a-f]{2})\)\s*/;
const DUMP_PREFIX = /^\s*(\d+):\s+((?:[0-9a-f]{2} ){7,15}[0-9a-f]{2})\s+/;
const DUMP_SYMBOL = /^[0-9a-f]{16} <([^>]+)>:\s*$/;
const LABEL = /^\s*([A-Za-z_.$][\w.$]*|\d+):(?=\s|$)/;
const C_BLOCK = /^\s*\.(c|btf)\s*\{/;
const STRUCT_BLOCK = /^\s*\.(struct|union|enum)\s+\w+[^{;]*\{/;

/** Lines of a verifier log that are not instructions. */
const LOG_NOISE = [
  /^\s*(?:\d+: )?R\d+[_a-z]*=/,
  /^\s*\d+: (?:frame\d+: )?(?:R\d+|fp)/,
  /^\s*\d+: *$/,
  /^from \d+ to \d+/,
  /^frame\d+:/,
  /^func#\d+ @/,
  /^(?:caller|callee|returning from callee|to caller at \d+|reg type unsupported)\b/,
  /^processed \d+ insns/,
  /^(?:mark_precise|propagating|parent |last_idx|regs=)/,
  /^verification time/,
  /^stack depth/,
  /^Live regs before insn:/,
  /^\s*\d+: [.0-9a-f]{10,}\s/,
  /^Validating |^Func#|^Global function/,
  /^Disassembly of section/,
  /file format elf64-bpf/,
];

/**
 * Where the code of a line ends. A comment starts at `//`, or at `#` or `;` after a blank or at the start of the line; strings
 * hide all of them.
 */
export function codeEnd(line: string): number {
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quoted) {
      if (char === '\\') i++;
      else if (char === '"') quoted = false;
      continue;
    }
    if (char === '"') quoted = true;
    else if (char === '/' && line[i + 1] === '/') return i;
    else if ((char === '#' || char === ';') && (i === 0 || /\s/.test(line[i - 1]!))) return i;
  }
  return line.length;
}

/** Net count of opened braces, strings and `//` comments left out. */
const braceBalance = (text: string): number => {
  const bare = text.replace(/"(?:[^"\\]|\\.)*"|\/\/.*$/gm, '');
  return (bare.match(/\{/g)?.length ?? 0) - (bare.match(/\}/g)?.length ?? 0);
};

/** Cuts a text into labels, statements, directives, blocks and source notes. */
export class Scanner {
  readonly #lines: readonly string[];
  readonly #diagnostics: Diagnostics;
  readonly #pieces: Piece[] = [];
  readonly #isLog: boolean;

  constructor(lines: readonly string[], diagnostics: Diagnostics) {
    this.#lines = lines;
    this.#diagnostics = diagnostics;
    this.#isLog = lines.some((line) => LOG_PREFIX.test(line) || DUMP_PREFIX.test(line));
  }

  scan(): readonly Piece[] {
    for (let i = 0; i < this.#lines.length; i++) {
      const line = this.#lines[i]!;
      if (C_BLOCK.test(line) || STRUCT_BLOCK.test(line)) i = this.#block(i);
      else this.#line(line, i + 1);
    }
    return this.#pieces;
  }

  /** A block from line `start` to the line of its closing brace, whose index is returned. */
  #block(start: number): number {
    const first = this.#lines[start]!;
    const word = C_BLOCK.exec(first)?.[1];
    let balance = 0;
    for (let i = start; i < this.#lines.length; i++) {
      balance += braceBalance(this.#lines[i]!);
      if (balance > 0) continue;
      const body = [first, ...this.#lines.slice(start + 1, i + 1)].join('\n');
      if (word !== undefined) {
        const open = body.indexOf('{');
        const text = body.slice(open + 1, body.lastIndexOf('}'));
        this.#pieces.push({ kind: word as 'c' | 'btf', text, at: { line: start + 1, column: open + 2 } });
      } else {
        const dot = body.indexOf('.');
        this.#pieces.push({ kind: 'c', text: `${body.slice(dot + 1)};`, at: { line: start + 1, column: dot + 2 } });
      }
      return i;
    }
    this.#diagnostics.add("this block has no closing '}'", { line: start + 1, column: first.indexOf('{') + 1 });
    return this.#lines.length;
  }

  #line(line: string, number: number): void {
    const note = NOTE.exec(line);
    if (note !== null) {
      const [, text, file, row, column] = note;
      const at = { line: number, column: line.indexOf(';') + 1 };
      this.#pieces.push({
        kind: 'note',
        note: { text: text!, file: file!, line: Number(row), column: Number(column ?? 0) },
        at,
      });
      return;
    }
    const code = line.slice(0, codeEnd(line));
    if (code.trim() === '') return;
    const prefix = LOG_PREFIX.exec(code);
    if (prefix !== null) {
      this.#statements(code, prefix[0].length, number, Number(prefix[1]), Number.parseInt(prefix[2]!, 16));
      return;
    }
    const dump = DUMP_PREFIX.exec(code);
    if (dump !== null) {
      this.#statements(code, dump[0].length, number, Number(dump[1]), Number.parseInt(dump[2]!.slice(0, 2), 16));
      return;
    }
    if (this.#isLog && LOG_NOISE.some((noise) => noise.test(code))) return;
    const symbol = DUMP_SYMBOL.exec(code);
    if (symbol !== null) {
      this.#pieces.push({ kind: 'label', name: symbol[1]!, at: { line: number, column: 19 } });
      return;
    }
    this.#plain(code, number);
  }

  /** Labels, then a directive or statements. */
  #plain(code: string, line: number): void {
    let from = 0;
    for (;;) {
      const label = LABEL.exec(code.slice(from));
      if (label === null) break;
      const column = from + label[0].indexOf(label[1]!) + 1;
      this.#pieces.push({ kind: 'label', name: label[1]!, at: { line, column } });
      from += label[0].length;
    }
    const start = from + (/\S/.exec(code.slice(from))?.index ?? code.length - from);
    if (start >= code.length) return;
    if (code[start] === '.') {
      this.#pieces.push({ kind: 'directive', text: code.slice(start).trimEnd(), at: { line, column: start + 1 } });
      return;
    }
    this.#statements(code, from, line, null, null);
  }

  /** Statements from column `from` on, separated by `;`. */
  #statements(code: string, from: number, line: number, slot: number | null, codeByte: number | null): void {
    let at = from;
    for (const part of code.slice(from).split(';')) {
      const text = part.trim();
      const column = at + part.length - part.trimStart().length + 1;
      if (text !== '') this.#pieces.push({ kind: 'statement', text, at: { line, column }, slot, codeByte });
      at += part.length + 1;
    }
  }
}
