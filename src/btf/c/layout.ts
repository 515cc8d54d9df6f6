import type { NewMember } from '../builder.ts';

/** Size and alignment in bytes; a type without size (void, a function) has size undefined. */
export interface Layout {
  readonly size: number | undefined;
  readonly align: number;
}

export interface Field {
  readonly name: string;
  readonly type: number;
  readonly size: number;
  readonly align: number;
  /** Undefined: no bitfield. */
  readonly width: number | undefined;
  /** The field's own `packed`. */
  readonly packed: boolean;
  /** The field's own `aligned`; 0: none. */
  readonly asked: number;
}

const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/**
 * Places fields as the System V ABI for x86-64 and clang for BPF do: each at its alignment; a bitfield shares the storage
 * unit of its type if it fits; an unnamed one takes room and no alignment; width 0 closes the unit.
 */
export const layOut = (
  kind: 'STRUCT' | 'UNION',
  fields: readonly Field[],
  options: { readonly packed: boolean; readonly align: number },
): { members: NewMember[]; size: number; align: number } => {
  const members: NewMember[] = [];
  let bit = 0;
  let largest = 1;
  let end = 0;
  for (const field of fields) {
    if (kind === 'UNION') bit = 0;
    const packed = options.packed || field.packed;
    const align = Math.max(packed ? 1 : field.align, field.asked);
    if (field.width === undefined) {
      bit = roundUp(bit, 8 * align);
      largest = Math.max(largest, align);
      members.push({ name: field.name, type: field.type, bitOffset: bit });
      bit += field.size * 8;
    } else if (field.width === 0) {
      bit = roundUp(bit, 8 * field.size);
    } else {
      const unit = 8 * field.size;
      if (!packed && (bit % unit) + field.width > unit) bit = roundUp(bit, 8 * align);
      if (field.name !== '') {
        largest = Math.max(largest, align);
        members.push({ name: field.name, type: field.type, bitOffset: bit, bitfieldSize: field.width });
      }
      bit += field.width;
    }
    end = Math.max(end, bit);
  }
  const align = Math.max(largest, options.align);
  return { members, size: roundUp(Math.ceil(end / 8), align), align };
};
