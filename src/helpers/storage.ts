import type { Helper } from '../contracts/helper.ts';
import { mayTraceSocketStorage } from './allowed.ts';
import { BASE_TYPES, SK_STORAGE_TYPES, to, WITH_BPF } from './availability.ts';
import {
  cgrpStorageDelete,
  cgrpStorageGet,
  inodeStorageDelete,
  inodeStorageGet,
  skStorageDelete,
  skStorageGet,
  taskStorageDelete,
  taskStorageGet,
} from './run/storage.ts';
import { anything, arg, constMap, context, INTEGER, MAP_VALUE_OR_NULL, mapValue, object, proto, protos } from './spec.ts';

/** Local storage of sockets, inodes, tasks and cgroups. */
export const storageHelpers: readonly Helper[] = [
  {
    id: 107,
    name: 'bpf_sk_storage_get',
    summary: 'Storage of a socket in a map, created on request.',
    protos: [
      proto(
        'bpf_sk_storage_get_cg_sock_proto',
        [constMap('map'), context('sk'), mapValue('value', 'PTR_MAYBE_NULL'), anything('flags')],
        MAP_VALUE_OR_NULL,
        { run: skStorageGet },
      ),
      proto(
        'bpf_sk_storage_get_proto',
        [constMap('map'), arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON'), mapValue('value', 'PTR_MAYBE_NULL'), anything('flags')],
        MAP_VALUE_OR_NULL,
        { run: skStorageGet },
      ),
      proto(
        'bpf_sk_storage_get_tracing_proto',
        [constMap('map'), object('sk', 'sock_common', 'PTR_MAYBE_NULL'), mapValue('value', 'PTR_MAYBE_NULL'), anything('flags')],
        MAP_VALUE_OR_NULL,
        { allowed: mayTraceSocketStorage, run: skStorageGet },
      ),
    ],
    available: [
      to(['cgroup_sock'], 'bpf_sk_storage_get_cg_sock_proto'),
      to(SK_STORAGE_TYPES, 'bpf_sk_storage_get_proto'),
      to(['struct_ops'], 'bpf_sk_storage_get_proto', { structOps: 'tcp_congestion_ops', memberNotIn: [] }),
      to(['tracing', 'syscall'], 'bpf_sk_storage_get_tracing_proto'),
    ],
    effects: { storageGet: true },
    maps: ['sk_storage'],
  },
  {
    id: 108,
    name: 'bpf_sk_storage_delete',
    summary: 'Removes the storage of a socket.',
    protos: [
      proto('bpf_sk_storage_delete_proto', [constMap('map'), arg('sk', 'ARG_PTR_TO_BTF_ID_SOCK_COMMON')], INTEGER, {
        run: skStorageDelete,
      }),
      proto('bpf_sk_storage_delete_tracing_proto', [constMap('map'), object('sk', 'sock_common', 'PTR_MAYBE_NULL')], INTEGER, {
        allowed: mayTraceSocketStorage,
        run: skStorageDelete,
      }),
    ],
    available: [
      to(SK_STORAGE_TYPES, 'bpf_sk_storage_delete_proto'),
      to(['struct_ops'], 'bpf_sk_storage_delete_proto', { structOps: 'tcp_congestion_ops', memberNotIn: [] }),
      to(['tracing', 'syscall'], 'bpf_sk_storage_delete_tracing_proto'),
    ],
    maps: ['sk_storage'],
  },
  {
    id: 145,
    name: 'bpf_inode_storage_get',
    summary: 'Storage of an inode in a map, created on request.',
    protos: [
      proto(
        'bpf_inode_storage_get_proto',
        [constMap('map'), object('inode', 'inode', 'PTR_MAYBE_NULL'), mapValue('value', 'PTR_MAYBE_NULL'), anything('flags')],
        MAP_VALUE_OR_NULL,
        { run: inodeStorageGet },
      ),
    ],
    available: [to(['lsm'], 'bpf_inode_storage_get_proto')],
    effects: { storageGet: true },
    maps: ['inode_storage'],
  },
  {
    id: 146,
    name: 'bpf_inode_storage_delete',
    summary: 'Removes the storage of an inode.',
    protos: [
      proto('bpf_inode_storage_delete_proto', [constMap('map'), object('inode', 'inode', 'PTR_MAYBE_NULL')], INTEGER, {
        run: inodeStorageDelete,
      }),
    ],
    available: [to(['lsm'], 'bpf_inode_storage_delete_proto')],
    maps: ['inode_storage'],
  },
  {
    id: 156,
    name: 'bpf_task_storage_get',
    summary: 'Storage of a task in a map, created on request.',
    protos: [
      ...protos(
        ['bpf_task_storage_get_proto', 'bpf_task_storage_get_recur_proto'],
        [
          constMap('map'),
          object('task', 'task_struct', 'PTR_MAYBE_NULL'),
          mapValue('value', 'PTR_MAYBE_NULL'),
          anything('flags'),
        ],
        MAP_VALUE_OR_NULL,
        { run: taskStorageGet },
      ),
    ],
    available: [
      to(['lsm', 'syscall', 'struct_ops'], 'bpf_task_storage_get_proto', ...WITH_BPF),
      to(['tracing'], 'bpf_task_storage_get_proto', { attachIn: ['BPF_TRACE_ITER'] }, ...WITH_BPF),
      to(BASE_TYPES, 'bpf_task_storage_get_recur_proto', ...WITH_BPF),
    ],
    effects: { storageGet: true },
    maps: ['task_storage'],
  },
  {
    id: 157,
    name: 'bpf_task_storage_delete',
    summary: 'Removes the storage of a task.',
    protos: [
      ...protos(
        ['bpf_task_storage_delete_proto', 'bpf_task_storage_delete_recur_proto'],
        [constMap('map'), object('task', 'task_struct', 'PTR_MAYBE_NULL')],
        INTEGER,
        { run: taskStorageDelete },
      ),
    ],
    available: [
      to(['lsm', 'syscall', 'struct_ops'], 'bpf_task_storage_delete_proto', ...WITH_BPF),
      to(['tracing'], 'bpf_task_storage_delete_proto', { attachIn: ['BPF_TRACE_ITER'] }, ...WITH_BPF),
      to(BASE_TYPES, 'bpf_task_storage_delete_recur_proto', ...WITH_BPF),
    ],
    maps: ['task_storage'],
  },
  {
    id: 210,
    name: 'bpf_cgrp_storage_get',
    summary: 'Storage of a cgroup in a map, created on request.',
    protos: [
      proto(
        'bpf_cgrp_storage_get_proto',
        [constMap('map'), object('cgroup', 'cgroup', 'PTR_MAYBE_NULL'), mapValue('value', 'PTR_MAYBE_NULL'), anything('flags')],
        MAP_VALUE_OR_NULL,
        { run: cgrpStorageGet },
      ),
    ],
    available: [to(BASE_TYPES, 'bpf_cgrp_storage_get_proto', ...WITH_BPF)],
    effects: { storageGet: true },
    maps: ['cgrp_storage'],
  },
  {
    id: 211,
    name: 'bpf_cgrp_storage_delete',
    summary: 'Removes the storage of a cgroup.',
    protos: [
      proto('bpf_cgrp_storage_delete_proto', [constMap('map'), object('cgroup', 'cgroup', 'PTR_MAYBE_NULL')], INTEGER, {
        run: cgrpStorageDelete,
      }),
    ],
    available: [to(BASE_TYPES, 'bpf_cgrp_storage_delete_proto', ...WITH_BPF)],
    maps: ['cgrp_storage'],
  },
];
