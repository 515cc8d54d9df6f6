import type { Helper } from '../../contracts/helper.ts';
import type { MapTypeName } from '../../contracts/uapi_numbers.ts';
import type { CallFacts, Env } from '../env.ts';
import { markChainPrecision } from '../prune/precision.ts';
import { isConst } from '../scalar/scalar.ts';
import { ltu32 } from '../scalar/words.ts';
import type { MapInfo } from '../state/map_info.ts';
import type { Reg } from '../state/reg.ts';
import { SCALAR_VALUE } from '../state/reg_types.ts';
import type { CallMeta } from './meta.ts';

/** Which helper may be given which map, and what is remembered of the maps and keys of a call. Source: kernel/bpf/verifier.c. */

const BPF_F_RDONLY_PROG = 1 << 7;
const KEY_REGNO = 3;

/** What is remembered of the call instruction. */
export function callFacts(env: Env, insnIdx: number): CallFacts {
  const { call } = env.facts;
  let facts = call[insnIdx];
  if (!facts) {
    facts = { map: null, mapUnprivileged: false, key: null, loopFits: null, loopSubprog: 0 };
    call[insnIdx] = facts;
  }
  return facts;
}

/** Remembers the map of a call; that of a read-only map's writer is refused (record_func_map). */
export function recordMap(env: Env, helper: Helper, meta: CallMeta, insnIdx: number): void {
  if (!helper.effects?.recordsMap) return;
  const { map } = meta;
  if (!map) return env.bug('expected map for helper call');
  if (helper.effects.writesMap && (map.flags & BPF_F_RDONLY_PROG) !== 0) env.reject('EACCES', 'write into map forbidden');
  const facts = callFacts(env, insnIdx);
  if (facts.map === map) return;
  facts.mapUnprivileged ||= !env.bypassSpecV1;
  facts.map = facts.map === null ? map : 'poison';
}

/** Remembers the constant index of a call into a program array (record_func_key). */
export function recordKey(env: Env, helper: Helper, meta: CallMeta, insnIdx: number): void {
  if (!helper.effects?.recordsKey) return;
  const { map } = meta;
  if (map?.type.name !== 'prog_array') {
    env.verbose('expected prog array map for tail call');
    env.refuse('EINVAL');
  }
  const reg = env.cur.top.regs[KEY_REGNO] as Reg;
  const { valueLo, valueHi } = reg.scalar;
  const facts = callFacts(env, insnIdx);
  if (reg.type !== SCALAR_VALUE || !isConst(reg.scalar) || valueHi !== 0 || !ltu32(valueLo, map.def.maxEntries)) {
    facts.key = 'poison';
    return;
  }
  markChainPrecision(env, KEY_REGNO);
  const key = valueLo >>> 0;
  if (facts.key === null) facts.key = key;
  else if (facts.key !== key) facts.key = 'poison';
}

/** The map's side: the helpers it takes. */
function mapTakes(env: Env, map: MapInfo, helper: Helper): boolean {
  const { helpers, conditionalHelpers } = map.type;
  if (helpers === null || helpers.includes(helper.name)) return true;
  if (!conditionalHelpers?.helpers.includes(helper.name)) return false;
  if (conditionalHelpers.allowed(helper.name, env.subject)) return true;
  env.verbose(`${conditionalHelpers.message}\n`);
  return false;
}

/** Map and helper go together, seen from both sides (check_map_func_compatibility). */
export function checkMapHelper(env: Env, map: MapInfo | null, helper: Helper): void {
  if (!map) return;
  const isTaken = mapTakes(env, map, helper) && (helper.maps?.includes(map.type.name as MapTypeName) ?? true);
  if (!isTaken) env.reject('EINVAL', `cannot pass map_type ${map.type.id} into func ${helper.name}#${helper.id}`);
}
