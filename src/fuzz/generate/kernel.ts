import { type SectionKind, sectionKind } from '../../asm/attach.ts';
import { isStruct } from '../../btf/types.ts';
import type { Profile } from '../../contracts/profile.ts';
import type { ContextField, ProgType } from '../../contracts/prog_type.ts';
import { ALL_CAPABILITIES, type Subject } from '../../contracts/subject.ts';
import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import { type AttachTarget, EMPTY_PROGRAM, type MapDef, PROG_FLAGS } from '../../program/program.ts';
import { Callees } from './callees.ts';
import { fieldsOf, STRUCT_OF } from './object_types.ts';

export interface SectionFacts {
  readonly section: string;
  readonly kind: SectionKind;
  readonly progType: ProgType;
  /** what the kernel's tables are asked with, for a program that is loaded with all capabilities */
  readonly subject: Subject;
  readonly readable: readonly ContextField[];
  readonly writable: readonly ContextField[];
  /** which maps its programs may hold, as far as it was asked */
  readonly holds: Map<MapDef, boolean>;
  /** program's context tells where a packet is: offsets of `data`, `data_end`, and of the metadata or -1; width of the loads */
  readonly packet: { readonly data: number; readonly end: number; readonly meta: number } | null;
}

const TRACING: ReadonlySet<string> = new Set(['kprobe', 'tracepoint', 'perf_event', 'raw_tracepoint', 'raw_tracepoint_writable']);

/** is_tracing_prog_type */
export const isTracing = (progType: string): boolean => TRACING.has(progType);

const subjectOf = (kind: SectionKind, { id }: ProgType): Subject => ({
  type: id,
  attachType: kind.expectedAttachType,
  attachName: kind.attach?.name ?? null,
  structOpsMember: null,
  sleepable: (kind.flags & PROG_FLAGS.BPF_F_SLEEPABLE) !== 0,
  caps: ALL_CAPABILITIES,
  program: EMPTY_PROGRAM,
});

/** What generators ask of a profile, found once. */
export class FuzzKernel {
  readonly profile: Profile;
  readonly callees: Callees;
  /** of every kfunc that this kernel has */
  readonly kfuncNames: readonly string[];
  readonly #sections = new Map<string, SectionFacts>();
  readonly #kfuncs = new Map<string, number>();
  readonly #helpers = new Map<string, number>();
  readonly #arguments = new WeakMap<AttachTarget, readonly (string | null)[]>();
  #percpu: readonly number[] | null = null;

  constructor(profile: Profile) {
    this.profile = profile;
    profile.helpers.forEach((helper, id) => {
      if (helper !== undefined) this.#helpers.set(helper.name, id);
    });
    this.callees = new Callees(profile);
    this.kfuncNames = [...profile.kfuncs.keys()].filter((name) => this.kfunc(name) !== 0);
  }

  /** Null for a section whose target this kernel does not have. */
  sectionOrNull(section: string): SectionFacts | null {
    if (this.#sections.has(section)) return this.section(section);
    const kind = this.#kindOf(section);
    return kind === null || kind.error !== null ? null : this.section(section);
  }

  /** What a section's name says, and for `struct_ops/TABLE/MEMBER` the member of a table of functions. */
  #kindOf(section: string): SectionKind | null {
    const kind = sectionKind(this.profile.progTypes, this.profile.btf, section);
    const [, table, name] = section.split('/');
    if (kind === null || kind.type !== PROG_TYPES.struct_ops || name === undefined) return kind;
    const struct = this.profile.btf.findByName(table ?? '', 'STRUCT');
    const member = struct?.members.findIndex((one) => one.name === name) ?? -1;
    if (struct === undefined || member === -1) return null;
    return { ...kind, attach: { name: struct.name, btfId: struct.id, program: null }, expectedAttachType: member };
  }

  section(section: string): SectionFacts {
    const known = this.#sections.get(section);
    if (known !== undefined) return known;
    const kind = this.#kindOf(section);
    if (kind === null || kind.error !== null) throw new Error(`no programs can be made for section '${section}'`);
    const progType = this.profile.progTypes.get(kind.type)!;
    const fields = progType.contextFields;
    const offsetOf = (name: string): number => fields.find((field) => field.name === name)?.off ?? -1;
    const packet = { data: offsetOf('data'), end: offsetOf('data_end'), meta: offsetOf('data_meta') };
    const subject = subjectOf(kind, progType);
    const isOpen = (off: number, size: number, write: boolean): boolean =>
      progType.access({ off, size, write, signExtend: false }, subject) !== null;
    const facts: SectionFacts = {
      section,
      kind,
      progType,
      subject,
      holds: new Map(),
      readable: fields.filter(({ off, read }) => read?.sizes.some((size) => isOpen(off, size, false)) ?? false),
      writable: fields.filter(({ off, write }) => write?.sizes.some((size) => isOpen(off, size, true)) ?? false),
      packet: packet.data >= 0 && packet.end >= 0 ? packet : null,
    };
    this.#sections.set(section, facts);
    return facts;
  }

  /** Whether programs of a section may hold a map, if it is their only one. */
  mayHold(section: SectionFacts, def: MapDef): boolean {
    const known = section.holds.get(def);
    if (known !== undefined) return known;
    const holds = this.profile.checkMapProgCompatibility(def, fieldsOf(STRUCT_OF[def.name]), section.subject, []) === null;
    section.holds.set(def, holds);
    return holds;
  }

  /** Structs that the arguments of a section's programs point to; null for an argument that is something else. */
  argumentsOf({ kind }: SectionFacts): readonly (string | null)[] {
    const { attach } = kind;
    if (attach === null) return [];
    const known = this.#arguments.get(attach);
    if (known !== undefined) return known;
    const found = this.#findArguments(attach.btfId, kind);
    this.#arguments.set(attach, found);
    return found;
  }

  #findArguments(id: number, { type, expectedAttachType }: SectionKind): (string | null)[] {
    const { btf } = this.profile;
    const target = btf.typeOrUndefined(id);
    const isTable = type === PROG_TYPES.struct_ops && target?.kind === 'STRUCT';
    const declared = isTable ? target.members[expectedAttachType]?.type : id;
    let found = declared === undefined ? undefined : btf.skipModifiers(declared);
    if (found?.kind === 'PTR') found = btf.skipModifiers(found.type);
    if (found?.kind === 'FUNC') found = btf.type(found.type);
    if (found?.kind !== 'FUNC_PROTO') return [];
    const params = target?.kind === 'TYPEDEF' ? found.params.slice(1) : found.params;
    return params.map((param) => {
      const pointee = btf.resolvePtr(btf.skipModifiers(param.type).id);
      return pointee !== undefined && isStruct(pointee) && pointee.name !== '' ? pointee.name : null;
    });
  }

  /** Variables of the kernel that every processor has its own of, and that have an address. */
  get percpuVariables(): readonly number[] {
    this.#percpu ??= this.#findPercpu();
    return this.#percpu;
  }

  #findPercpu(): number[] {
    const { btf, facts } = this.profile;
    const section = btf.findByName('.data..percpu', 'DATASEC');
    return (section?.vars ?? []).map(({ type }) => type).filter((id) => facts.dataSymbols.has(btf.type(id).name));
  }

  /** Type id of a kfunc in the kernel's BTF; 0 where there is none. */
  kfunc(name: string): number {
    const known = this.#kfuncs.get(name);
    if (known !== undefined) return known;
    const id = this.profile.btf.findByName(name, 'FUNC')?.id ?? 0;
    this.#kfuncs.set(name, id);
    return id;
  }

  /** Number of a helper by its full name. */
  helper(name: string): number {
    const id = this.#helpers.get(name);
    if (id === undefined) throw new Error(`no helper ${name}`);
    return id;
  }
}

/** A map of a generated program, by its index in `Program.maps`. */
export interface UsedMap {
  readonly index: number;
  readonly def: MapDef;
}
