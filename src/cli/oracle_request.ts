import type { Btf } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/builder.ts';
import { FlatSource } from '../btf/source.ts';
import { ALL_CAPABILITIES, type Capabilities } from '../contracts/subject.ts';
import { encodeProgram } from '../isa/codec.ts';
import type { MapDef, Program } from '../program/program.ts';

/** What BPF_PROG_LOAD and the calls before it are to be given, as tools/kernel-oracle reads it. Bytes are hexadecimal. */
export interface OracleRequest {
  readonly insns: string;
  readonly prog_type: number;
  readonly expected_attach_type: number;
  readonly attach_btf_id: number;
  readonly attach_prog: OracleRequest | null;
  readonly flags: number;
  readonly license: string;
  readonly name: string;
  readonly log_level: number;
  readonly log_size?: number;
  /** mask of the capabilities that are kept; absent: all */
  readonly caps?: number;
  readonly btf: string | null;
  readonly func_info: string;
  readonly line_info: string;
  readonly maps: readonly OracleMap[];
}

export interface OracleMap {
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly flags: number;
  readonly map_extra: number;
  readonly name: string;
  readonly btf_key_type_id: number;
  readonly btf_value_type_id: number;
  readonly btf_vmlinux_value_type_id: number;
  readonly has_btf: boolean;
  /** types of its own; null: those of the program */
  readonly btf: string | null;
  readonly value: string | null;
  readonly frozen: boolean;
  readonly inner: OracleMap | null;
}

const OBJECT_NAME_CHARACTERS = 15;
/** A map-in-map inside a map-in-map is none that a kernel takes. */
const MAP_NESTING = 3;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

const words = (values: readonly number[]): string => hex(new Uint8Array(Uint32Array.from(values).buffer));

const blobOf = (btf: Btf): Uint8Array => (btf.source instanceof FlatSource ? btf.source.bytes : BtfBuilder.from(btf).encode());

/** Characters that the kernel allows in names of programs and maps (bpf_obj_name_cpy). */
const kernelName = (name: string): string => name.slice(0, OBJECT_NAME_CHARACTERS).replace(/[^\w.]/g, '_');

const mapRequest = (map: MapDef, types: Btf | null, depth = 0): OracleMap => ({
  type: map.type,
  key_size: map.keySize,
  value_size: map.valueSize,
  max_entries: map.maxEntries,
  flags: map.flags,
  map_extra: Number(map.mapExtra),
  name: kernelName(map.name),
  btf_key_type_id: map.btfKeyTypeId,
  btf_value_type_id: map.btfValueTypeId,
  btf_vmlinux_value_type_id: map.btfVmlinuxValueTypeId,
  has_btf: map.btf !== null,
  btf: map.btf === null || map.btf === types ? null : hex(blobOf(map.btf)),
  value: map.initial === null || map.section === null ? null : hex(map.initial),
  frozen: map.frozen,
  inner: map.inner === null || depth === MAP_NESTING ? null : mapRequest(map.inner, types, depth + 1),
});

const CAP_NET_ADMIN = 12;
const CAP_SYS_ADMIN = 21;
const CAP_PERFMON = 38;
const CAP_BPF = 39;

/** The mask of capget(2) as a number; bits beyond the 32nd are added, not shifted. */
const capabilityMask = ({ bpf, perfmon, netAdmin, sysAdmin }: Capabilities): number =>
  (netAdmin ? 2 ** CAP_NET_ADMIN : 0) +
  (sysAdmin ? 2 ** CAP_SYS_ADMIN : 0) +
  (perfmon ? 2 ** CAP_PERFMON : 0) +
  (bpf ? 2 ** CAP_BPF : 0);

export interface OracleQuestion {
  readonly logLevel: number;
  readonly logSize?: number;
  readonly flags?: number;
  readonly capabilities?: Capabilities;
}

/** The types that are loaded: those of the program, or those that its maps have although it has none. */
const typesOf = ({ btf, maps }: Program): Btf | null => btf ?? maps.find((map) => map.btf !== null)?.btf ?? null;

/** A program as the oracle loads it. The kernel is the running one: type ids of its BTF have to be those of the profile. */
export function oracleRequest(program: Program, question: OracleQuestion): OracleRequest {
  const { capabilities = ALL_CAPABILITIES, logLevel, logSize, flags = 0 } = question;
  const target = program.attach?.program ?? null;
  const types = typesOf(program);
  return {
    insns: hex(encodeProgram(program.insns)),
    prog_type: program.type,
    expected_attach_type: program.expectedAttachType,
    attach_btf_id: program.attach?.btfId ?? 0,
    attach_prog: target === null ? null : oracleRequest(target, { logLevel: 0 }),
    flags: (program.flags | flags) >>> 0,
    license: program.license,
    name: kernelName(program.name),
    log_level: logLevel,
    ...(logSize === undefined ? {} : { log_size: logSize }),
    ...(capabilities.sysAdmin ? {} : { caps: capabilityMask(capabilities) }),
    btf: types === null ? null : hex(blobOf(types)),
    func_info: words(program.funcInfo.flatMap(({ insn, typeId }) => [insn, typeId])),
    line_info: words(program.lineInfo.flatMap(({ insn, fileOff, lineOff, lineCol }) => [insn, fileOff, lineOff, lineCol])),
    maps: program.maps.map((map) => mapRequest(map, types)),
  };
}
