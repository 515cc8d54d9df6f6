import { ATTACH_TYPES, type AttachTypeName } from '../contracts/attach_types.ts';
import type { ProgType, SectionFlag, SectionRule } from '../contracts/prog_type.ts';
import type { Subject } from '../contracts/subject.ts';
import type { ContextTable } from './context_table.ts';

/** `BPF_XDP` → 37, for several names. */
export function attachTypes(...names: readonly AttachTypeName[]): readonly number[] {
  return names.map((name) => ATTACH_TYPES[name]);
}

/**
 * A row of libbpf's section_defs (tools/lib/bpf/libbpf.c). `name` is spelled as there: a trailing `+` allows `/extras`.
 * `0` is "no attach type".
 */
export function section(name: string, attachType: AttachTypeName | 0 = 0, ...flags: readonly SectionFlag[]): SectionRule {
  const extras = name.endsWith('+');
  return {
    section: extras ? name.slice(0, -1) : name,
    extras,
    attachType: attachType === 0 ? null : attachType,
    attachTypeValue: attachType === 0 ? 0 : ATTACH_TYPES[attachType],
    flags,
    sleepable: flags.includes('SEC_SLEEPABLE'),
  };
}

/** A section that newer libbpf knows; its attach type may have a number that Linux 6.18 does not. */
export function newerSection(
  since: string,
  name: string,
  attachType: { readonly name: string; readonly value: number } | null,
  ...flags: readonly SectionFlag[]
): SectionRule {
  const row = section(name, 0, ...flags);
  return { ...row, attachType: attachType?.name ?? null, attachTypeValue: attachType?.value ?? 0, since };
}

type Defaulted =
  | 'contextKind'
  | 'contextSize'
  | 'contextFields'
  | 'contextArg'
  | 'access'
  | 'packetAccess'
  | 'returnRange'
  | 'attachTypeOk'
  | 'takesBtfTarget'
  | 'sleepableOk'
  | 'needs'
  | 'unprivilegedOk'
  | 'kernelName';

type ProgTypeSpec = Omit<ProgType, Defaulted> &
  Partial<Omit<Pick<ProgType, Defaulted>, 'attachTypeOk'>> & {
    /** table of a struct context */
    readonly context?: ContextTable;
    /** plain loads and stores on packets; absent: neither */
    readonly packet?: 'read' | 'read-write';
    /** expected attach types that BPF_PROG_LOAD takes; absent: any */
    readonly attachTypes?: readonly number[];
  };

const REFUSE = (): null => null;
const NEVER = (): boolean => false;

/** Fills in what most program types share. */
export function progType(spec: ProgTypeSpec): ProgType {
  const { context, packet, attachTypes: accepted, ...entry } = spec;
  return {
    kernelName: `BPF_PROG_TYPE_${entry.name.toUpperCase()}`,
    contextKind: 'struct',
    contextSize: context?.size ?? 0,
    contextFields: context?.fields ?? [],
    contextArg: () => ({}),
    access: context?.access ?? REFUSE,
    packetAccess: packet === undefined ? NEVER : (write: boolean, _subject: Subject) => !write || packet === 'read-write',
    returnRange: REFUSE,
    attachTypeOk: accepted === undefined ? () => true : (attachType) => accepted.includes(attachType),
    takesBtfTarget: false,
    sleepableOk: NEVER,
    needs: [],
    unprivilegedOk: false,
    ...entry,
  };
}

export const ZERO_OR_ONE = { min: 0, max: 1 } as const;
