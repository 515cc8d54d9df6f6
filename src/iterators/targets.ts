/**
 * The seq-file iterator targets that `SEC("iter/…")` programs are written for. Each entry repeats its bpf_iter_reg: which
 * slots of the context have a register type of their own. The other slots follow the BTF of the attach function: the meta
 * pointer and maps are trusted, integers are scalars.
 */
import type { IterContextArg, IterTarget } from '../contracts/iter_target.ts';
import type { TypeFlag } from '../contracts/type_words.ts';
import { cgroupRun } from './run/cgroup.ts';
import { ksymRun } from './run/ksym.ts';
import { mapElemRun } from './run/map_elem.ts';
import { registeredRun } from './run/registered.ts';
import { taskRun } from './run/task.ts';
import { taskFileRun } from './run/task_file.ts';
import { taskVmaRun } from './run/task_vma.ts';

function pointer(name: string, off: number, btfType: string, ...flags: readonly TypeFlag[]): IterContextArg {
  return { name, off, reg: { base: 'PTR_TO_BTF_ID', flags: ['PTR_MAYBE_NULL', ...flags] }, btfType };
}

function trusted(name: string, off: number, btfType: string): IterContextArg {
  return pointer(name, off, btfType, 'PTR_TRUSTED');
}

function buffer(name: string, off: number, ...flags: readonly TypeFlag[]): IterContextArg {
  return { name, off, reg: { base: 'PTR_TO_BUF', flags: ['PTR_MAYBE_NULL', ...flags] } };
}

type TargetSpec = Omit<IterTarget, 'attachFunction' | 'features' | 'attach'> & Partial<Pick<IterTarget, 'features' | 'attach'>>;

function target(spec: TargetSpec): IterTarget {
  return { attachFunction: `bpf_iter_${spec.name}`, features: [], attach: { kind: 'none' }, ...spec };
}

const RESCHED = ['BPF_ITER_RESCHED'] as const;
const TASK = { kind: 'task' } as const;

const ENTRIES: readonly IterTarget[] = [
  target({
    name: 'bpf_link',
    contextArgs: [pointer('link', 8, 'bpf_link')],
    source: 'kernel/bpf/link_iter.c',
    summary: 'every BPF link',
    run: registeredRun((host) => host.links),
  }),
  target({
    name: 'bpf_map',
    contextArgs: [trusted('map', 8, 'bpf_map')],
    source: 'kernel/bpf/map_iter.c',
    summary: 'every BPF map',
    run: registeredRun((host) => host.maps),
  }),
  target({
    name: 'bpf_map_elem',
    contextArgs: [buffer('key', 16, 'MEM_RDONLY'), buffer('value', 24)],
    attach: { kind: 'map', mapTypes: [1, 2, 5, 6, 9, 10] },
    source: 'kernel/bpf/map_iter.c',
    summary: 'every element of an array or hash',
    run: mapElemRun,
  }),
  target({
    name: 'bpf_prog',
    contextArgs: [pointer('prog', 8, 'bpf_prog')],
    source: 'kernel/bpf/prog_iter.c',
    summary: 'every BPF program',
    run: registeredRun((host) => host.programs),
  }),
  target({
    name: 'bpf_sk_storage_map',
    contextArgs: [pointer('sk', 16, 'sock'), buffer('value', 24)],
    attach: { kind: 'map', mapTypes: [24] },
    source: 'net/core/bpf_sk_storage.c',
    summary: 'every socket that has a value in a socket storage',
  }),
  target({
    name: 'cgroup',
    config: 'CONFIG_CGROUPS',
    contextArgs: [trusted('cgroup', 8, 'cgroup')],
    features: RESCHED,
    attach: { kind: 'cgroup' },
    source: 'kernel/bpf/cgroup_iter.c',
    summary: 'cgroups, up or down from one',
    run: cgroupRun,
  }),
  target({
    name: 'dmabuf',
    config: 'CONFIG_DMA_SHARED_BUFFER',
    contextArgs: [pointer('dmabuf', 8, 'dma_buf')],
    features: RESCHED,
    source: 'kernel/bpf/dmabuf_iter.c',
    summary: 'every DMA buffer that is shared between devices',
  }),
  target({
    name: 'ipv6_route',
    config: 'CONFIG_IPV6',
    contextArgs: [pointer('rt', 8, 'fib6_info')],
    source: 'net/ipv6/route.c',
    summary: 'every IPv6 route of a network namespace',
  }),
  target({
    name: 'kmem_cache',
    contextArgs: [trusted('s', 8, 'kmem_cache')],
    features: RESCHED,
    source: 'kernel/bpf/kmem_cache_iter.c',
    summary: 'every slab cache',
  }),
  target({
    name: 'ksym',
    contextArgs: [pointer('ksym', 8, 'kallsym_iter')],
    features: RESCHED,
    source: 'kernel/kallsyms.c',
    summary: 'every kernel symbol',
    run: ksymRun,
  }),
  target({
    name: 'netlink',
    contextArgs: [pointer('sk', 8, 'netlink_sock')],
    source: 'net/netlink/af_netlink.c',
    summary: 'every netlink socket of a network namespace',
  }),
  target({
    name: 'sockmap',
    contextArgs: [buffer('key', 16, 'MEM_RDONLY'), pointer('sk', 24, 'sock')],
    attach: { kind: 'map', mapTypes: [15, 18] },
    source: 'net/core/sock_map.c',
    summary: 'every socket in a map of sockets',
  }),
  target({
    name: 'task',
    contextArgs: [trusted('task', 8, 'task_struct')],
    features: RESCHED,
    attach: TASK,
    source: 'kernel/bpf/task_iter.c',
    summary: 'every task',
    run: taskRun,
  }),
  target({
    name: 'task_file',
    contextArgs: [pointer('task', 8, 'task_struct'), pointer('file', 24, 'file')],
    features: RESCHED,
    attach: TASK,
    source: 'kernel/bpf/task_iter.c',
    summary: 'every open file of every task',
    run: taskFileRun,
  }),
  target({
    name: 'task_vma',
    contextArgs: [pointer('task', 8, 'task_struct'), pointer('vma', 16, 'vm_area_struct')],
    features: RESCHED,
    attach: TASK,
    source: 'kernel/bpf/task_iter.c',
    summary: 'every memory area of every task',
    run: taskVmaRun,
  }),
  target({
    name: 'tcp',
    contextArgs: [trusted('sk_common', 8, 'sock_common')],
    source: 'net/ipv4/tcp_ipv4.c',
    summary: 'every TCP socket of a network namespace',
  }),
  target({
    name: 'udp',
    contextArgs: [trusted('udp_sk', 8, 'udp_sock')],
    source: 'net/ipv4/udp.c',
    summary: 'every UDP socket of a network namespace',
  }),
  target({
    name: 'unix',
    config: 'CONFIG_UNIX',
    contextArgs: [pointer('unix_sk', 8, 'unix_sock')],
    source: 'net/unix/af_unix.c',
    summary: 'every Unix socket of a network namespace',
  }),
];

export const ITER_TARGETS: ReadonlyMap<string, IterTarget> = new Map(ENTRIES.map((entry) => [entry.name, entry]));
