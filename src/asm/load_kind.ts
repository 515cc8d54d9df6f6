import type { Btf } from '../btf/btf.ts';
import { ATTACH_TYPES } from '../contracts/attach_types.ts';
import { PROG_TYPES } from '../contracts/uapi_numbers.ts';
import { parseWord64 } from '../isa/word64.ts';
import { PROG_FLAGS } from '../program/program.ts';
import { findTarget, type SectionKind, sectionKind } from './attach.ts';
import type { Diagnostics, Position } from './diagnostics.ts';
import type { Word } from './directive.ts';
import { readFlags } from './map_table.ts';
import type { ProgramOutline } from './outline.ts';
import type { StructOpsRole } from './struct_ops.ts';
import type { AsmProfile } from './symbols.ts';

const ATTRIBUTES = ['type', 'attach_type', 'flags', 'target', 'btf_id', 'btf'];
const NO_KIND: SectionKind = { type: 0, expectedAttachType: 0, hasAttachType: false, flags: 0, attach: null, error: null };
const SOCKET: SectionKind = { ...NO_KIND, type: PROG_TYPES.socket_filter };

const readName = (text: string, names: Readonly<Record<string, number>>): number | null =>
  Object.hasOwn(names, text) ? names[text]! : (parseWord64(text)?.lo ?? null);

/**
 * What BPF_PROG_LOAD is told of a program: its section says so, attributes of its `.program` line overrule the section, and a
 * struct_ops map says which member a program is.
 */
export function loadKind(
  outline: ProgramOutline,
  profile: AsmProfile | null,
  role: StructOpsRole | undefined,
  diagnostics: Diagnostics,
): SectionKind {
  const { unit, section, attributes, at } = outline;
  const place = (word: Word): Position => ({ line: at.line, column: at.column + word.column });
  const fromSection = profile === null ? SOCKET : sectionKind(profile.progTypes, profile.btf, section);
  const missing = `missing BPF prog type, check ELF section name '${section}'`;
  let kind: SectionKind = fromSection ?? { ...NO_KIND, error: attributes.has('type') ? null : missing };
  for (const [key, word] of attributes) {
    if (!ATTRIBUTES.includes(key)) diagnostics.add(`.program has no attribute '${key}'`, place(word));
  }
  const type = attributes.get('type');
  if (type !== undefined) {
    const value = readName(type.text, PROG_TYPES);
    if (value === null) diagnostics.add(`no program type '${type.text}'`, place(type));
    else kind = value === kind.type ? { ...kind, error: null } : { ...NO_KIND, type: value };
  }
  const attachType = attributes.get('attach_type');
  if (attachType !== undefined) {
    const value = attachType.text === 'none' ? 0 : readName(attachType.text, ATTACH_TYPES);
    if (value === null) diagnostics.add(`no attach type '${attachType.text}'`, place(attachType));
    else kind = { ...kind, expectedAttachType: value, hasAttachType: attachType.text !== 'none' };
  }
  const flags = attributes.get('flags');
  if (flags !== undefined) {
    const { value, unknown } = readFlags(flags.text, PROG_FLAGS);
    if (unknown === null) kind = { ...kind, flags: value };
    else diagnostics.add(`no program flag '${unknown}'`, place(flags));
  }
  if (role !== undefined) kind = { ...kind, attach: role.attach, expectedAttachType: role.member, hasAttachType: true };
  else if (kind.type === PROG_TYPES.struct_ops && !attributes.has('target')) {
    kind = { ...kind, error: 'SEC("struct_ops") program isn\'t referenced anywhere, did you forget to use it?' };
  }
  kind = withTarget(kind, attributes, profile?.btf ?? null);
  return kind.error === null ? kind : { ...kind, error: `prog '${unit.name}': ${kind.error}` };
}

const withTarget = (kind: SectionKind, attributes: ProgramOutline['attributes'], kernel: Btf | null): SectionKind => {
  const target = attributes.get('target');
  if (target === undefined) return kind;
  const id = parseWord64(attributes.get('btf_id')?.text ?? '')?.lo;
  if (id !== undefined) return { ...kind, attach: { name: target.text, btfId: id, program: null }, error: null };
  const attach = kernel === null ? null : findTarget(kernel, target.text, kind.expectedAttachType);
  return { ...kind, attach, error: attach === null ? `failed to find kernel BTF type ID of '${target.text}'` : null };
};
