import type { Helper } from '../contracts/helper.ts';
import { BASE_TYPES, CGROUP_TYPES, LWT_TYPES, NO_RETVAL_ATTACH, TC_TYPES, to, WITH_BPF } from './availability.ts';
import {
  currentAncestorCgroupId,
  currentClassid,
  currentTaskUnderCgroup,
  skbAncestorCgroupId,
  skbCgroupClassid,
  skbUnderCgroup,
} from './run/cgroup.ts';
import { getCgroupClassid, skbCgroupId } from './run/skb_meta.ts';
import { getLocalStorage } from './run/storage.ts';
import { getCurrentCgroupId } from './run/task.ts';
import { getRetval, setRetval } from './run/tracing.ts';
import { anything, arg, constMap, context, INTEGER, MAP_VALUE, proto } from './spec.ts';

/** Control groups. */
export const cgroupHelpers: readonly Helper[] = [
  {
    id: 17,
    name: 'bpf_get_cgroup_classid',
    summary: 'Class id (net_cls) of the packet or task.',
    protos: [
      proto('bpf_get_cgroup_classid_proto', [context('skb')], INTEGER, { run: getCgroupClassid }),
      proto('bpf_get_cgroup_classid_curr_proto', [], INTEGER, { run: currentClassid }),
    ],
    available: [
      to([...TC_TYPES, ...LWT_TYPES], 'bpf_get_cgroup_classid_proto'),
      to(BASE_TYPES, 'bpf_get_cgroup_classid_curr_proto', ...WITH_BPF),
    ],
  },
  {
    id: 33,
    name: 'bpf_skb_under_cgroup',
    summary: 'Whether the socket of a packet is below a cgroup of an array.',
    protos: [
      proto('bpf_skb_under_cgroup_proto', [context('skb'), constMap('map'), anything('index')], INTEGER, { run: skbUnderCgroup }),
    ],
    available: [to([...TC_TYPES, ...LWT_TYPES], 'bpf_skb_under_cgroup_proto')],
    maps: ['cgroup_array'],
  },
  {
    id: 37,
    name: 'bpf_current_task_under_cgroup',
    summary: 'Whether the current task is below a cgroup of an array.',
    protos: [
      proto('bpf_current_task_under_cgroup_proto', [constMap('map'), anything('index')], INTEGER, {
        run: currentTaskUnderCgroup,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_current_task_under_cgroup_proto', ...WITH_BPF)],
    maps: ['cgroup_array'],
  },
  {
    id: 79,
    name: 'bpf_skb_cgroup_id',
    summary: 'Id of the cgroup of a packet.',
    protos: [proto('bpf_skb_cgroup_id_proto', [context('skb')], INTEGER, { run: skbCgroupId })],
    available: [to(['cgroup_skb', ...TC_TYPES], 'bpf_skb_cgroup_id_proto')],
  },
  {
    id: 80,
    name: 'bpf_get_current_cgroup_id',
    summary: 'Id of the cgroup of the current task.',
    protos: [proto('bpf_get_current_cgroup_id_proto', [], INTEGER, { run: getCurrentCgroupId })],
    available: [to(BASE_TYPES, 'bpf_get_current_cgroup_id_proto', ...WITH_BPF)],
  },
  {
    id: 81,
    name: 'bpf_get_local_storage',
    summary: 'Storage of the program in its cgroup.',
    protos: [proto('bpf_get_local_storage_proto', [constMap('map'), anything('flags')], MAP_VALUE, { run: getLocalStorage })],
    available: [
      to(CGROUP_TYPES, 'bpf_get_local_storage_proto'),
      to(['lsm'], 'bpf_get_local_storage_proto', { attachIn: ['BPF_LSM_CGROUP'] }),
    ],
    effects: { rule: 'get_local_storage' },
    maps: ['cgroup_storage', 'percpu_cgroup_storage'],
  },
  {
    id: 83,
    name: 'bpf_skb_ancestor_cgroup_id',
    summary: 'Id of an ancestor of the cgroup of a packet.',
    protos: [
      proto('bpf_skb_ancestor_cgroup_id_proto', [context('skb'), anything('ancestor_level')], INTEGER, {
        run: skbAncestorCgroupId,
      }),
    ],
    available: [to(['cgroup_skb', ...TC_TYPES], 'bpf_skb_ancestor_cgroup_id_proto')],
  },
  {
    id: 123,
    name: 'bpf_get_current_ancestor_cgroup_id',
    summary: 'Id of an ancestor of the cgroup of the current task.',
    protos: [
      proto('bpf_get_current_ancestor_cgroup_id_proto', [anything('ancestor_level')], INTEGER, { run: currentAncestorCgroupId }),
    ],
    available: [to(BASE_TYPES, 'bpf_get_current_ancestor_cgroup_id_proto', ...WITH_BPF)],
  },
  {
    id: 128,
    name: 'bpf_sk_cgroup_id',
    summary: 'Id of the cgroup of a socket.',
    protos: [proto('bpf_sk_cgroup_id_proto', [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')], INTEGER)],
    available: [to(['cgroup_skb'], 'bpf_sk_cgroup_id_proto')],
  },
  {
    id: 129,
    name: 'bpf_sk_ancestor_cgroup_id',
    summary: 'Id of an ancestor of the cgroup of a socket.',
    protos: [
      proto('bpf_sk_ancestor_cgroup_id_proto', [arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'), anything('ancestor_level')], INTEGER),
    ],
    available: [to(['cgroup_skb'], 'bpf_sk_ancestor_cgroup_id_proto')],
  },
  {
    id: 151,
    name: 'bpf_skb_cgroup_classid',
    summary: 'Class id (net_cls) of the socket that owns the packet.',
    protos: [proto('bpf_skb_cgroup_classid_proto', [context('skb')], INTEGER, { run: skbCgroupClassid })],
    available: [to(TC_TYPES, 'bpf_skb_cgroup_classid_proto')],
  },
  {
    id: 186,
    name: 'bpf_get_retval',
    summary: 'Return value that the system call will have.',
    protos: [proto('bpf_get_retval_proto', [], INTEGER, { run: getRetval })],
    available: [
      to(CGROUP_TYPES, 'bpf_get_retval_proto', { attachNotIn: NO_RETVAL_ATTACH }),
      to(['lsm'], 'bpf_get_retval_proto', { attachIn: ['BPF_LSM_CGROUP'] }),
    ],
  },
  {
    id: 187,
    name: 'bpf_set_retval',
    summary: 'Sets the return value that the system call will have.',
    protos: [proto('bpf_set_retval_proto', [anything('retval')], INTEGER, { run: setRetval })],
    available: [
      to(CGROUP_TYPES, 'bpf_set_retval_proto', { attachNotIn: NO_RETVAL_ATTACH }),
      to(['lsm'], 'bpf_set_retval_proto', { attachIn: ['BPF_LSM_CGROUP'] }),
    ],
    effects: { rule: 'set_retval' },
  },
];
