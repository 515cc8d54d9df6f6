import type { Btf } from '../btf/btf.ts';

const DEEPEST = 16;

/** The path of the field that holds byte `offset` of a struct, such as `se.vruntime` or `comm[3]`; empty where none does. */
export function describeField(btf: Btf, struct: string, offset: number): string {
  let type = btf.findByName(struct, 'STRUCT') ?? btf.findByName(struct, 'UNION');
  let rest = offset;
  let path = '';
  for (let depth = 0; depth < DEEPEST && type !== undefined; depth++) {
    const members = type.members.filter((member) => {
      const at = Math.floor(member.bitOffset / 8);
      return rest >= at && rest < at + Math.max(btf.sizeOf(member.type) ?? 0, 1);
    });
    const member = members[0];
    if (member === undefined) return path;
    rest -= Math.floor(member.bitOffset / 8);
    if (member.name !== '') path += path === '' ? member.name : `.${member.name}`;
    const inner = btf.skipModifiers(member.type);
    if (inner.kind === 'ARRAY') {
      const size = btf.sizeOf(inner.elem) ?? 1;
      return `${path}[${Math.floor(rest / Math.max(size, 1))}]`;
    }
    type = inner.kind === 'STRUCT' || inner.kind === 'UNION' ? inner : undefined;
  }
  return path;
}
