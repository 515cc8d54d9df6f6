/**
 * Context structs as tables of rows, and the one function that answers is_valid_access() from such a table.
 *
 * Sources: the *_is_valid_access() functions of net/core/filter.c, kernel/bpf/cgroup.c and kernel/trace/bpf_trace.c;
 * bpf_ctx_narrow_access_ok(), include/linux/filter.h.
 */
import type { AccessRule, ContextAnswer, ContextField, ContextQuery } from '../contracts/prog_type.ts';
import type { Subject } from '../contracts/subject.ts';
import type { RegTypeWords } from '../contracts/type_words.ts';

export const SCALAR: RegTypeWords = { base: 'SCALAR_VALUE' };
export const PACKET: RegTypeWords = { base: 'PTR_TO_PACKET' };
export const PACKET_END: RegTypeWords = { base: 'PTR_TO_PACKET_END' };
export const PACKET_META: RegTypeWords = { base: 'PTR_TO_PACKET_META' };
export const SOCKET: RegTypeWords = { base: 'PTR_TO_SOCKET' };
export const SOCKET_OR_NULL: RegTypeWords = { base: 'PTR_TO_SOCKET', flags: ['PTR_MAYBE_NULL'] };
export const SOCK_COMMON_OR_NULL: RegTypeWords = { base: 'PTR_TO_SOCK_COMMON', flags: ['PTR_MAYBE_NULL'] };

/** One whole value of `size` bytes (or one element of an array of such values). */
export function whole(size: number): AccessRule {
  return { sizes: [size] };
}

/** Any power of two up to `width` bytes; the field is loaded at `width` and masked. */
export function narrow(width: 2 | 4 | 8): AccessRule {
  const sizes = [1, 2, 4, 8].filter((size) => size <= width);
  return { sizes, fieldSize: width };
}

export const ANY_SIZE: AccessRule = { sizes: [1, 2, 4, 8] };

/** Like `rule`, but only at the first byte of the field: the kernel's switch names the offset, not the range. */
export function atStart(rule: AccessRule): AccessRule {
  return { ...rule, atStart: true };
}

export type Access = (query: ContextQuery, subject: Subject) => ContextAnswer | null;

export interface ContextTable {
  /** bytes of the struct */
  readonly size: number;
  readonly fields: readonly ContextField[];
  /** without a subject only the rows that hold unconditionally count */
  readonly access: (query: ContextQuery, subject: Subject | null) => ContextAnswer | null;
}

interface Row {
  readonly field: ContextField;
  readonly readAnswer: ContextAnswer;
  readonly writeAnswer: ContextAnswer;
}

function answer(field: ContextField, rule: AccessRule | undefined, reg: RegTypeWords): ContextAnswer {
  const fieldSize = rule?.fieldSize ?? 0;
  return field.btfType === undefined ? { reg, fieldSize } : { reg, btfType: field.btfType, fieldSize };
}

function permits(field: ContextField, rule: AccessRule, query: ContextQuery): boolean {
  if (!rule.sizes.includes(query.size)) return false;
  if (rule.atStart === true && query.off !== field.off) return false;
  if (query.off + query.size > field.off + field.size) return false;
  return !(query.signExtend && rule.noSignExtend === true);
}

function applies(field: ContextField, subject: Subject | null): boolean {
  if (field.needsCapBpf === true && subject?.caps.bpf !== true) return false;
  return field.attachTypes === undefined || (subject !== null && field.attachTypes.includes(subject.attachType));
}

/**
 * The access function of a context of `size` bytes. An access outside the struct, or not a multiple of its own size away
 * from the start, or not inside a row that permits it, is refused.
 */
export function contextTable(size: number, fields: readonly ContextField[]): ContextTable {
  const byOffset: Row[][] = Array.from({ length: size }, () => []);
  for (const field of fields) {
    const row: Row = {
      field,
      readAnswer: answer(field, field.read, field.reg ?? SCALAR),
      writeAnswer: answer(field, field.write, SCALAR),
    };
    for (let off = field.off; off < field.off + field.size; off++) byOffset[off]?.push(row);
  }
  const access = (query: ContextQuery, subject: Subject | null): ContextAnswer | null => {
    if (query.off < 0 || query.off % query.size !== 0) return null;
    const rows = byOffset[query.off];
    if (rows === undefined) return null;
    for (const row of rows) {
      const rule = query.write ? row.field.write : row.field.read;
      if (rule === undefined || !permits(row.field, rule, query) || !applies(row.field, subject)) continue;
      return query.write ? row.writeAnswer : row.readAnswer;
    }
    return null;
  };
  return { size, fields, access };
}
