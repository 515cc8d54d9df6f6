import { type SectionKind, sectionKind } from '../../asm/attach.ts';
import type { Profile } from '../../contracts/profile.ts';
import type { ContextField, ProgType } from '../../contracts/prog_type.ts';
import type { MapDef } from '../../program/program.ts';

export interface SectionFacts {
  readonly section: string;
  readonly kind: SectionKind;
  readonly progType: ProgType;
  readonly readable: readonly ContextField[];
  readonly writable: readonly ContextField[];
  /** program's context tells where a packet is: offsets of `data`, `data_end`, and of the metadata or -1; width of the loads */
  readonly packet: { readonly data: number; readonly end: number; readonly meta: number } | null;
}

const TRACING: ReadonlySet<string> = new Set(['kprobe', 'tracepoint', 'perf_event', 'raw_tracepoint', 'raw_tracepoint_writable']);

/** is_tracing_prog_type */
export const isTracing = (progType: string): boolean => TRACING.has(progType);

/** What generators ask of a profile, found once. */
export class FuzzKernel {
  readonly profile: Profile;
  /** of every kfunc that this kernel has */
  readonly kfuncNames: readonly string[];
  readonly #sections = new Map<string, SectionFacts>();
  readonly #kfuncs = new Map<string, number>();
  readonly #helpers = new Map<string, number>();

  constructor(profile: Profile) {
    this.profile = profile;
    profile.helpers.forEach((helper, id) => {
      if (helper !== undefined) this.#helpers.set(helper.name, id);
    });
    this.kfuncNames = [...profile.kfuncs.keys()].filter((name) => this.kfunc(name) !== 0);
  }

  /** Null for a section whose target this kernel does not have. */
  sectionOrNull(section: string): SectionFacts | null {
    if (this.#sections.has(section)) return this.section(section);
    const kind = sectionKind(this.profile.progTypes, this.profile.btf, section);
    return kind === null || kind.error !== null ? null : this.section(section);
  }

  section(section: string): SectionFacts {
    const known = this.#sections.get(section);
    if (known !== undefined) return known;
    const kind = sectionKind(this.profile.progTypes, this.profile.btf, section);
    if (kind === null || kind.error !== null) throw new Error(`no programs can be made for section '${section}'`);
    const progType = this.profile.progTypes.get(kind.type)!;
    const fields = progType.contextFields;
    const offsetOf = (name: string): number => fields.find((field) => field.name === name)?.off ?? -1;
    const packet = { data: offsetOf('data'), end: offsetOf('data_end'), meta: offsetOf('data_meta') };
    const facts: SectionFacts = {
      section,
      kind,
      progType,
      readable: fields.filter(({ read }) => read !== undefined),
      writable: fields.filter(({ write }) => write !== undefined),
      packet: packet.data >= 0 && packet.end >= 0 ? packet : null,
    };
    this.#sections.set(section, facts);
    return facts;
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
