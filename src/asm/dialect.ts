import type { Draft } from './statement.ts';

export type DialectName = 'kernel' | 'ubpf';

/** What a statement may ask of its surroundings. */
export interface StatementScope {
  /** the value of a named constant */
  constant(name: string): bigint | null;
  /** id of a helper by name */
  helperId?(name: string): number | null;
  /** bytes in front of a field of a struct; null where there is no such field */
  fieldOffset?(struct: string, path: string): number | null;
  /** the code byte that a pasted log shows in front of the statement */
  readonly codeByte: number | null;
}

/** Reads one instruction without its label and comment; throws `StatementError`. */
export type StatementReader = (text: string, scope: StatementScope) => Draft;

const UBPF_WORDS =
  /^(?:(?:add|sub|mul|div|or|and|lsh|rsh|mod|xor|mov|arsh|sdiv|smod|neg)(?:32|64)?|(?:le|be|swap|bswap)(?:16|32|64)|movsx\d+|ldx(?:s?[bhw]|dw)|stx?(?:[bhw]|dw)|lddw|ld(?:abs|ind)[bhw]|ja(?:32)?|j(?:eq|ne|gt|ge|lt|le|set|sgt|sge|slt|sle)(?:32)?|lock)$/;

const KERNEL_SIGNS = /\s(?:=|[-+*/|&%^]=|s?<<=|s?>>=)\s|^(?:if|goto|gotol|may_goto|callx)\s|\*\(|\block \*|^store_release/;

const UBPF_SIGNS = /%r\d/;

/**
 * The dialect of a text, told by its first statement that only one of the two has; `call 1` and `exit` are in both.
 * `statements` come without labels and comments.
 */
export function recogniseDialect(statements: Iterable<string>): DialectName {
  for (const statement of statements) {
    if (UBPF_SIGNS.test(statement)) return 'ubpf';
    if (KERNEL_SIGNS.test(statement)) return 'kernel';
    if (UBPF_WORDS.test(statement.split(/\s/, 1)[0]!)) return 'ubpf';
  }
  return 'kernel';
}
