import { mapValueRecord } from '../../btf/fields.ts';
import { FIELD_BITS, type FieldRecord, type FieldType } from '../../btf/special.ts';
import { Unmodelled } from '../../contracts/errors.ts';
import type { SpecialField } from '../../contracts/map_type.ts';
import { BPF_LDX, BPF_MEM, BPF_MEMSX, classOf, modeOf } from '../../isa/constants.ts';
import type { Insn } from '../../isa/insn.ts';
import { isKnownCode } from '../../isa/opcodes.ts';
import type { MapDef } from '../../program/program.ts';
import type { Env, ImmRef } from '../env.ts';
import type { MapInfo } from '../state/map_info.ts';
import { MEM_PERCPU, MEM_RDONLY, PTR_TO_BTF_ID, PTR_TO_MEM } from '../state/reg_types.ts';
import { findSubprog } from './subprogs.ts';

/** What 64-bit constants refer to. Source: resolve_pseudo_ldimm64, kernel/bpf/verifier.c. */

const LD_IMM64 = 0x18;
const BPF_PSEUDO_MAP_FD = 1;
const BPF_PSEUDO_MAP_VALUE = 2;
const BPF_PSEUDO_BTF_ID = 3;
const BPF_PSEUDO_FUNC = 4;
const BPF_PSEUDO_MAP_IDX = 5;
const BPF_PSEUDO_MAP_IDX_VALUE = 6;

const MAX_USED_MAPS = 64;
const MAX_VAR_OFF = 1 << 29;
const BPF_F_RDONLY_PROG = 1 << 7;
const BPF_MAP_TYPE_ARENA = 33;

/** The special fields of a map's value (map_check_btf). */
const recordOf = (env: Env, def: MapDef): FieldRecord | null =>
  def.btf && def.btfValueTypeId !== 0
    ? mapValueRecord(def.btf, def.btfValueTypeId, def.valueSize, {
        btf: env.profile.btf,
        destructors: env.profile.facts.destructors,
      })
    : null;

function mapInfo(env: Env, def: MapDef): MapInfo {
  const type = env.profile.mapTypes.get(def.type);
  if (!type) throw new Unmodelled('map type', String(def.type));
  return {
    def,
    type,
    flags: def.flags | type.impliedFlags,
    record: recordOf(env, def),
    // the template of inner maps has no name of its own (bpf_map_meta_alloc)
    inner: def.inner ? mapInfo(env, { ...def.inner, name: '' }) : null,
    constant: def.frozen && (def.flags & BPF_F_RDONLY_PROG) !== 0,
  };
}

const fieldsOf = (record: FieldRecord | null): ReadonlySet<SpecialField> =>
  new Set(
    (Object.keys(FIELD_BITS) as FieldType[]).filter(
      (name) => record !== null && (record.mask & FIELD_BITS[name]) !== 0,
    ) as SpecialField[],
  );

/** The map with this index, checked on first use (add_used_map). */
function useMap(env: Env, index: number): MapInfo {
  const def = env.program.maps[index];
  if (!def) env.reject('EBADF', `fd ${index < 0 ? ~index : index} is not pointing to valid bpf_map`);
  const known = env.usedMaps.find((map) => map.def === def);
  if (known) return known;
  if (env.usedMaps.length >= MAX_USED_MAPS)
    env.reject('E2BIG', `The total number of maps per program has reached the limit of ${MAX_USED_MAPS}`);
  const map = mapInfo(env, def);
  const mapsBefore = env.usedMaps.map((used) => used.def);
  const refusal = env.profile.checkMapProgCompatibility(def, fieldsOf(map.record), env.subject, mapsBefore);
  if (refusal) env.reject(refusal.errno, refusal.message);
  if (def.type === BPF_MAP_TYPE_ARENA) env.arena = map;
  env.usedMaps.push(map);
  return map;
}

/** A kernel symbol: per-CPU variables are reached through helpers, others are read in place (check_pseudo_btf_id). */
function kernelSymbol(env: Env, insn: Insn): ImmRef {
  const { btf } = env.profile;
  const type = btf.typeOrUndefined(insn.imm);
  if (!type) env.reject('ENOENT', `ldimm64 insn specifies invalid btf_id ${insn.imm}.`);
  if (type.kind !== 'VAR' && type.kind !== 'FUNC')
    env.reject('EINVAL', `pseudo btf_id ${insn.imm} in ldimm64 isn't KIND_VAR or KIND_FUNC`);
  const { dataSymbols, functionsWithoutAddress } = env.profile.facts;
  if (type.kind === 'FUNC' ? functionsWithoutAddress.has(type.name) : !dataSymbols.has(type.name))
    env.reject('ENOENT', `ldimm64 failed to find the address for kernel symbol '${type.name}'.`);
  if (type.kind === 'FUNC') return { kind: 'btf-var', regType: PTR_TO_MEM | MEM_RDONLY, btf, btfId: 0, memSize: 0 };
  const percpu = btf.findByName('.data..percpu', 'DATASEC');
  if (percpu?.vars.some((variable) => variable.type === type.id))
    return { kind: 'btf-var', regType: PTR_TO_BTF_ID | MEM_PERCPU, btf, btfId: type.type, memSize: 0 };
  const target = btf.skipModifiers(type.type);
  if (target.kind === 'STRUCT' || target.kind === 'UNION')
    return { kind: 'btf-var', regType: PTR_TO_BTF_ID, btf, btfId: type.type, memSize: 0 };
  const memSize = btf.sizeOf(target.id);
  if (memSize === undefined) env.reject('EINVAL', `ldimm64 unable to resolve the size of type '${target.name}': -22`);
  return { kind: 'btf-var', regType: PTR_TO_MEM | MEM_RDONLY, btf, btfId: 0, memSize };
}

function mapValue(env: Env, map: MapInfo, off: number): ImmRef {
  if (off >= MAX_VAR_OFF) env.reject('EINVAL', `direct value offset of ${off} is not allowed`);
  if (!map.type.directValue) env.reject('EINVAL', 'no direct value access support for this map type');
  const errno = map.type.checkDirectValue(map.def, off);
  if (errno !== null) env.reject(errno, `invalid access to map value pointer, value_size=${map.def.valueSize} off=${off}`);
  return { kind: 'map-value', map, off };
}

/** Maps by their place in an array of descriptors: programs are loaded without one. */
const withoutArray = (env: Env): never => env.reject('EPROTO', 'fd_idx without fd_array is invalid');

function resolve(env: Env, index: number): ImmRef | undefined {
  const insn = env.insn(index);
  const high = env.insns[index + 1];
  if (high?.code !== 0 || high.dst !== 0 || high.src !== 0 || high.off !== 0) env.reject('EINVAL', 'invalid bpf_ld_imm64 insn');
  switch (insn.src) {
    case 0:
      return undefined;
    case BPF_PSEUDO_BTF_ID:
      if (high.imm !== 0) env.reject('EINVAL', 'invalid module BTF object FD specified.');
      return kernelSymbol(env, insn);
    case BPF_PSEUDO_FUNC:
      return { kind: 'func', subprog: findSubprog(env, index + insn.imm + 1) };
    case BPF_PSEUDO_MAP_IDX_VALUE:
      return withoutArray(env);
    case BPF_PSEUDO_MAP_IDX:
      if (high.imm === 0) return withoutArray(env);
      break;
    case BPF_PSEUDO_MAP_VALUE:
      return mapValue(env, useMap(env, insn.imm), high.imm >>> 0);
    case BPF_PSEUDO_MAP_FD:
      if (high.imm === 0) return { kind: 'map', map: useMap(env, insn.imm) };
  }
  return env.reject('EINVAL', 'unrecognized bpf_ld_imm64 insn');
}

/** Resolves every `ld_imm64`, refuses unknown opcodes and loads with unused fields set. */
export function resolvePseudoLdImm64(env: Env): void {
  for (let index = 0; index < env.insns.length; index++) {
    const insn = env.insn(index);
    if (classOf(insn.code) === BPF_LDX) {
      const mode = modeOf(insn.code);
      if ((mode !== BPF_MEM && mode !== BPF_MEMSX) || insn.imm !== 0) env.reject('EINVAL', 'BPF_LDX uses reserved fields');
    }
    if (insn.code === LD_IMM64) {
      env.facts.immRef[index] = resolve(env, index);
      index++;
    } else if (!isKnownCode(insn.code)) env.reject('EINVAL', `unknown opcode ${insn.code.toString(16).padStart(2, '0')}`);
  }
}
