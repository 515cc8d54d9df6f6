import type { MapDef, Program } from '../program/program.ts';
import { instructionStarts, replace } from './edit.ts';
import type { FuzzKernel } from './generate/kernel.ts';
import type { Random } from './random.ts';

/** Changes of what stands around the instructions: program type, licence, flags, maps, function records, what calls refer to. */

const SECTIONS = [
  'xdp',
  'xdp.frags',
  'tc',
  'socket',
  'kprobe',
  'kprobe.multi',
  'tracepoint',
  'raw_tp',
  'raw_tracepoint.w',
  'perf_event',
  'tp_btf/sched_switch',
  'tp_btf/task_newtask',
  'iter/task',
  'iter/bpf_map_elem',
  'iter.s/task',
  'cgroup_skb/egress',
  'cgroup_skb/ingress',
  'cgroup/sock',
  'cgroup/dev',
  'cgroup/sysctl',
  'cgroup/getsockopt',
  'cgroup/setsockopt',
  'cgroup/connect4',
  'cgroup/sendmsg6',
  'sockops',
  'sk_skb/stream_verdict',
  'sk_msg',
  'sk_lookup',
  'sk_reuseport',
  'lwt_in',
  'lwt_xmit',
  'lwt_seg6local',
  'flow_dissector',
  'netfilter',
  'syscall',
  'uprobe.s',
  'fentry/bpf_fentry_test1',
  'fentry.s/security_file_open',
  'fentry/do_exit',
  'fexit/do_exit',
  'fexit/bpf_fentry_test1',
  'fexit/vfs_read',
  'fmod_ret/bpf_modify_return_test',
  'fmod_ret/security_file_open',
  'fmod_ret/vfs_read',
  'fentry/migrate_disable',
  'fentry/preempt_count_add',
  'lsm/file_open',
  'lsm.s/file_open',
  'lsm/bprm_committing_creds',
  'lsm/inode_getattr',
  'lsm_cgroup/socket_create',
  'lsm_cgroup/inet_csk_clone',
  'tp_btf/sys_enter',
  'tp_btf/netif_receive_skb',
  'raw_tp.w/nbd_send_request',
  'freplace/main',
] as const;

const FLAGS = [1, 8, 16, 32, 128] as const;
const LICENSES = ['GPL', 'Dual MIT/GPL', 'Proprietary', ''] as const;

/** The same instructions in another kind of program. */
const changeSection = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const facts = kernel.sectionOrNull(random.pick(SECTIONS));
  if (facts === null) return program;
  const { section, kind } = facts;
  return {
    ...program,
    section,
    type: kind.type,
    expectedAttachType: kind.expectedAttachType,
    hasAttachType: kind.hasAttachType,
    attach: kind.attach,
    flags: kind.flags | (program.flags & 8),
  };
};

/** Another thing of the kernel's BTF in the place of what the program attaches to. */
const changeTarget = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const { attach } = program;
  if (attach === null) return changeSection(random, program, kernel);
  const { btf } = kernel.profile;
  const btfId = random.chance(0.15) ? random.pick([0, btf.count + 5]) : random.below(btf.count);
  const type = btf.type(Math.min(btfId, btf.count - 1));
  const attachTypes = [program.expectedAttachType, 23, 24, 25, 26, 27, 28, 43];
  return {
    ...program,
    attach: { ...attach, btfId, name: 'name' in type && type.name !== '' ? type.name : attach.name },
    expectedAttachType: random.chance(0.7) ? program.expectedAttachType : random.pick(attachTypes),
  };
};

const otherSize = (random: Random, size: number): number =>
  Math.max(0, random.pick([size + 1, size - 1, size + 4, size - 4, size * 2, size >> 1, 1, 4, 8, 16]));

const MAP_FLAG_BITS = [1, 1 << 7, 1 << 8, 1 << 10] as const;
const MAP_TYPES_TRIED = [
  1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 27, 28, 29, 30, 31, 32,
] as const;

/** libbpf makes a map without types where they do not fit. */
const typedIfFitting = (map: MapDef, kernel: FuzzKernel): MapDef =>
  map.btf === null || (kernel.profile.mapTypes.get(map.type)?.checkBtf(map) ?? null) === null
    ? map
    : { ...map, btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 };

const changeMap = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  if (program.maps.length === 0) return program;
  const at = random.below(program.maps.length);
  const old = program.maps[at]!;
  const changes: Partial<MapDef> = random.pick([
    () => ({ keySize: otherSize(random, old.keySize) }),
    () => ({ valueSize: otherSize(random, old.valueSize) }),
    () => ({ maxEntries: otherSize(random, old.maxEntries) }),
    () => ({ flags: old.flags ^ random.pick(MAP_FLAG_BITS) }),
    () => ({ type: random.pick(MAP_TYPES_TRIED), mapExtra: 0n, inner: null }),
    () => ({ btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 }),
  ])();
  const maps = program.maps.slice();
  // what a special field of the value forbids of a map makes libbpf try without types
  const untyped = 'flags' in changes || 'type' in changes ? { btf: null, btfKeyTypeId: 0, btfValueTypeId: 0 } : {};
  maps[at] = typedIfFitting({ ...old, ...changes, ...untyped }, kernel);
  return { ...program, maps };
};

const changeFunctionRecords = (random: Random, program: Program): Program => {
  const { funcInfo, btf } = program;
  if (btf === null || funcInfo.length === 0) return program;
  const at = random.below(funcInfo.length);
  const rows = funcInfo.slice();
  switch (random.below(5)) {
    case 0:
      rows.splice(at, 1);
      break;
    case 1:
      rows[at] = { ...rows[at]!, typeId: rows[random.below(rows.length)]!.typeId };
      break;
    case 2:
      rows[at] = { ...rows[at]!, typeId: random.below(btf.count) };
      break;
    case 3:
      rows[at] = { ...rows[at]!, insn: Math.max(0, rows[at]!.insn + random.pick([-1, 1])) };
      break;
    default:
      return { ...program, btf: null, funcInfo: [], lineInfo: [] };
  }
  return { ...program, funcInfo: rows };
};

const changeLineRecords = (random: Random, program: Program): Program => {
  const { lineInfo } = program;
  if (lineInfo.length === 0) return program;
  const rows = lineInfo.slice();
  const at = random.below(rows.length);
  switch (random.below(3)) {
    case 0:
      rows.splice(at, 1);
      break;
    case 1:
      rows[at] = { ...rows[at]!, insn: Math.max(0, rows[at]!.insn + random.pick([-1, 1])) };
      break;
    default:
      rows[at] = { ...rows[at]!, lineOff: random.below(2000) };
  }
  return { ...program, lineInfo: rows };
};

/** Another helper or kfunc in the place of one that is called. */
const changeCall = (random: Random, program: Program, kernel: FuzzKernel): Program => {
  const { insns } = program;
  const calls = instructionStarts(insns).filter((at) => insns[at]!.code === 0x85 && insns[at]!.src !== 1);
  if (calls.length === 0) return program;
  const at = random.pick(calls);
  const helpers = kernel.profile.helpers.flatMap((helper) => (helper === undefined ? [] : [helper.id]));
  const isKfunc = insns[at]!.src === 2 ? random.chance(0.9) : random.chance(0.3);
  const callee = isKfunc ? { src: 2, imm: kernel.kfunc(random.pick(kernel.kfuncNames)) } : { src: 0, imm: random.pick(helpers) };
  return replace(program, at, { ...insns[at]!, ...callee });
};

/** The program with one change around its instructions. */
export function mutateFrame(random: Random, program: Program, kernel: FuzzKernel): Program {
  switch (random.below(12)) {
    case 0:
    case 10:
      return changeSection(random, program, kernel);
    case 11:
      return changeTarget(random, program, kernel);
    case 1:
      return { ...program, flags: program.flags ^ random.pick(FLAGS) };
    case 2:
      return { ...program, license: random.pick(LICENSES) };
    case 3:
    case 4:
      return changeMap(random, program, kernel);
    case 5:
      return changeFunctionRecords(random, program);
    case 6:
      return changeLineRecords(random, program);
    default:
      return changeCall(random, program, kernel);
  }
}
