import { load, type Scenario, type Step, u32s, u64s } from '../steps.ts';

/** Targets of seq-file iterators: maps, elements, programs, links, tasks, control groups. Names of this scenario begin with `vr`. */

const print = (format: string, length: number, words: number): string => `
    r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0)
    r2 = ${format} ll; w3 = ${length}; r4 = r10; r4 += -${8 * words + 16}; w5 = ${8 * words}
    call bpf_seq_printf`;

/** The name at `place`, on the stack at fp-16; others than ours leave. */
const ours = (place: string): string => `
    r1 = r10; r1 += -16; w2 = 16; r3 = ${place}; call bpf_probe_read_kernel_str
    w1 = *(u16 *)(r10 - 16)
    if w1 != 0x7276 goto out
    r1 = r10; r1 += -16`;

const objects: Scenario = {
  name: 'maps, programs and links by id',
  text: `
  .license "GPL"
  .map vr_hash hash key_size=8 value_size=24 max_entries=10
  .map vr_array array key_size=4 value_size=4 max_entries=3
  .map vr_ring ringbuf max_entries=4096
  .rodata "const char map_line[18]" = "%s %d %d %d %d\\n"
  .rodata "const char name_line[7]" = "%s %d\\n"
  .section "iter/bpf_map"
  .program vr_maps
    r6 = r1
    r1 = vr_hash ll; r1 = vr_array ll; r1 = vr_ring ll
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r8 = r7; r8 += offsetof(bpf_map, name)
    ${ours('r8')}
    *(u64 *)(r10 - 56) = r1
    r1 = *(u32 *)(r7 + offsetof(bpf_map, map_type)); *(u64 *)(r10 - 48) = r1
    r1 = *(u32 *)(r7 + offsetof(bpf_map, key_size)); *(u64 *)(r10 - 40) = r1
    r1 = *(u32 *)(r7 + offsetof(bpf_map, value_size)); *(u64 *)(r10 - 32) = r1
    r1 = *(u32 *)(r7 + offsetof(bpf_map, max_entries)); *(u64 *)(r10 - 24) = r1
    ${print('map_line', 18, 5)}
  out: r0 = 0
    exit
  .section "iter/bpf_prog"
  .program vr_programs
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r8 = *(u64 *)(r7 + offsetof(bpf_prog, aux))
    r8 += offsetof(bpf_prog_aux, name)
    ${ours('r8')}
    *(u64 *)(r10 - 32) = r1
    r1 = *(u32 *)(r7 + offsetof(bpf_prog, type)); *(u64 *)(r10 - 24) = r1
    ${print('name_line', 7, 2)}
  out: r0 = 0
    exit
  .section "iter/bpf_link"
  .program vr_links
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r8 = *(u64 *)(r7 + offsetof(bpf_link, prog))
    r8 = *(u64 *)(r8 + offsetof(bpf_prog, aux))
    r8 += offsetof(bpf_prog_aux, name)
    ${ours('r8')}
    *(u64 *)(r10 - 32) = r1
    r1 = *(u32 *)(r7 + offsetof(bpf_link, type)); *(u64 *)(r10 - 24) = r1
    ${print('name_line', 7, 2)}
  out: r0 = 0
    exit`,
  steps: [
    ...load('vr_maps', 'vr_programs', 'vr_links'),
    ...['vr_maps', 'vr_programs', 'vr_links'].flatMap((prog): Step[] => [
      { do: 'attach', prog, link: `link of ${prog}` },
      { do: 'iter', link: `link of ${prog}`, iter: `iter of ${prog}` },
    ]),
    ...['vr_maps', 'vr_programs', 'vr_links'].map(
      (prog): Step => ({ do: 'read', iter: `iter of ${prog}`, size: prog === 'vr_maps' ? 7 : 4096, all: true }),
    ),
    { do: 'close', fd: 'link of vr_programs' },
    { do: 'iter', link: 'link of vr_links', iter: 'again' },
    { do: 'read', iter: 'again', size: 4096, all: true },
  ],
};

/** Keys and values of maps of several kinds, in the order of the walk. */
const elements = (type: string, flags = ''): string => `
  .license "GPL"
  .map items ${type} key_size=4 value_size=8 max_entries=4${flags}
  .rodata "const char line[10]" = "%d %d %d\\n"
  .section "iter/bpf_map_elem"
  .program show
    r6 = r1
    r1 = items ll
    r7 = *(u64 *)(r6 + 16)
    r8 = *(u64 *)(r6 + 24)
    if r7 == 0 goto out
    if r8 == 0 goto out
    r1 = *(u32 *)(r7 + 0); *(u64 *)(r10 - 40) = r1
    r1 = *(u32 *)(r8 + 0); *(u64 *)(r10 - 32) = r1
    r1 = *(u32 *)(r8 + 4); *(u64 *)(r10 - 24) = r1
    ${print('line', 10, 3)}
  out: r0 = 0
    exit`;

const elementSteps = (keys: readonly number[]): Step[] => [
  ...load('show'),
  ...keys.map((key): Step => ({ do: 'update', map: 'items', key: u32s(key), value: u32s(key * 10, key * 100) })),
  { do: 'attach', prog: 'show', link: 'link', info: ['items'] },
  { do: 'iter', link: 'link', iter: 'iter' },
  { do: 'read', iter: 'iter', size: 5 },
  { do: 'read', iter: 'iter', size: 4096, all: true },
  { do: 'fdinfo', fd: 'link' },
];

const elementScenarios: readonly Scenario[] = [
  { name: 'elements of an array', text: elements('array'), steps: elementSteps([0, 1, 3]) },
  { name: 'the element of a hash', text: elements('hash'), steps: elementSteps([7]) },
  { name: 'no element of a hash', text: elements('hash'), steps: elementSteps([]) },
];

/** Writes into values while it walks. */
const writer: Scenario = {
  name: 'elements that are written',
  text: `
  .license "GPL"
  .map items array key_size=4 value_size=8 max_entries=3
  .section "iter/bpf_map_elem"
  .program add
    r8 = *(u64 *)(r1 + 24)
    r2 = items ll
    if r8 == 0 goto out
    r1 = *(u64 *)(r8 + 0); r1 += 1; *(u64 *)(r8 + 0) = r1
  out: r0 = 0
    exit`,
  steps: [
    ...load('add'),
    { do: 'update', map: 'items', key: u32s(1), value: u64s(41) },
    { do: 'attach', prog: 'add', link: 'link', info: ['items'] },
    { do: 'iter', link: 'link', iter: 'iter' },
    { do: 'read', iter: 'iter', size: 100, all: true },
    { do: 'lookup', map: 'items', key: u32s(0), size: 8 },
    { do: 'lookup', map: 'items', key: u32s(1), size: 8 },
    { do: 'lookup', map: 'items', key: u32s(3), size: 8 },
    { do: 'delete', map: 'items', key: u32s(1) },
  ],
};

/** Tasks that are in every kernel: the first kernel thread, alone and as a group, and those that are not there. */
const tasks: Scenario = {
  name: 'one task',
  text: `
  .license "GPL"
  .rodata "const char line[10]" = "%s %d %d\\n"
  .rodata "const char file_line[9]" = "file %d\\n"
  .rodata "const char area_line[9]" = "area %d\\n"
  .section "iter/task"
  .program task
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r1 = r7; r1 += offsetof(task_struct, comm); *(u64 *)(r10 - 40) = r1
    r1 = *(s32 *)(r7 + offsetof(task_struct, pid)); *(u64 *)(r10 - 32) = r1
    r1 = *(s32 *)(r7 + offsetof(task_struct, tgid)); *(u64 *)(r10 - 24) = r1
    ${print('line', 10, 3)}
  out: r0 = 0
    exit
  .section "iter/task_file"
  .program file
    r6 = r1
    r7 = *(u64 *)(r6 + 24)
    r1 = 0
    if r7 == 0 goto show
    r1 = 1
  show: *(u64 *)(r10 - 24) = r1
    ${print('file_line', 9, 1)}
    r0 = 0
    exit
  .section "iter/task_vma"
  .program area
    r6 = r1
    r7 = *(u64 *)(r6 + 16)
    r1 = 0
    if r7 == 0 goto show
    r1 = 1
  show: *(u64 *)(r10 - 24) = r1
    ${print('area_line', 9, 1)}
    r0 = 0
    exit`,
  steps: [
    ...load('task', 'file', 'area'),
    ...['task', 'file', 'area'].flatMap((prog): Step[] =>
      [[2], [0, 2], [4000000], [0, 4000000]].flatMap((info, index): Step[] => [
        { do: 'attach', prog, link: `${prog} ${index}`, info },
        { do: 'iter', link: `${prog} ${index}`, iter: `iter of ${prog} ${index}` },
        { do: 'read', iter: `iter of ${prog} ${index}`, size: 4096, all: true },
      ]),
    ),
  ],
};

/** A small hierarchy; a walk over it cannot be taken up again in the middle, and a program that answers 1 ends it. */
const CGROUPS = ['/vr', '/vr/a', '/vr/a/x', '/vr/a/y', '/vr/b', '/vr/b/z'];
const ORDERS = [1, 2, 3, 4];

const groups: Scenario = {
  name: 'control groups',
  text: `
  .license "GPL"
  .map config array key_size=4 value_size=8 max_entries=1
  .map out array key_size=4 value_size=8 max_entries=1
  .rodata "const char line[10]" = "%s %d %d\\n"
  .section "iter/cgroup"
  .program show
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    w1 = 0; *(u32 *)(r10 - 52) = w1
    r1 = config ll; r2 = r10; r2 += -52; call bpf_map_lookup_elem
    if r0 == 0 goto out
    r9 = *(u64 *)(r0 + 0)
    r1 = out ll; r2 = r10; r2 += -52; call bpf_map_lookup_elem
    if r0 == 0 goto out
    r8 = *(u64 *)(r0 + 0); r8 += 1; *(u64 *)(r0 + 0) = r8
    if r7 == 0 goto out
    r1 = *(u64 *)(r7 + offsetof(cgroup, kn))
    r3 = *(u64 *)(r1 + offsetof(kernfs_node, name))
    r1 = r10; r1 += -16; w2 = 16; call bpf_probe_read_kernel_str
    r1 = r10; r1 += -16; *(u64 *)(r10 - 40) = r1
    r1 = *(s32 *)(r7 + offsetof(cgroup, level)); *(u64 *)(r10 - 32) = r1
    r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 16); *(u64 *)(r10 - 24) = r1
    ${print('line', 10, 3)}
    if r8 != r9 goto out
    r0 = 1
    exit
  out: r0 = 0
    exit`,
  steps: [
    ...load('show'),
    { do: 'update', map: 'config', key: u32s(0), value: u64s(0) },
    ...CGROUPS.map((path): Step => ({ do: 'cgroup', path, fd: path })),
    ...ORDERS.flatMap((order): Step[] => [
      { do: 'attach', prog: 'show', link: `order ${order}`, info: [order, order === 4 ? '/vr/a/y' : '/vr'] },
      { do: 'iter', link: `order ${order}`, iter: `iter ${order}` },
      { do: 'read', iter: `iter ${order}`, size: 4096, all: true },
      { do: 'read', iter: `iter ${order}`, size: 4096, all: true },
      { do: 'fdinfo', fd: `order ${order}` },
      { do: 'info', link: `order ${order}`, room: 64 },
    ]),
    { do: 'attach', prog: 'show', link: 'bad', info: [0, '/vr'] },
    { do: 'attach', prog: 'show', link: 'bad', info: [5, '/vr'] },
    { do: 'attach', prog: 'show', link: 'bad', info: [2, 9999] },
    { do: 'attach', prog: 'show', link: 'bad', info: [2, 'config'] },
    { do: 'attach', prog: 'show', link: 'bad', info: [2, '/vr', 1, 0] },
    { do: 'attach', prog: 'show', link: 'bad', info: [2, 0, 0xfffffff, 0xfffffff] },
    { do: 'attach', prog: 'show', link: 'bad' },
    { do: 'iter', link: 'order 2', iter: 'partial' },
    { do: 'read', iter: 'partial', size: 10 },
    { do: 'read', iter: 'partial', size: 10 },
    { do: 'read', iter: 'partial', size: 10 },
    { do: 'update', map: 'config', key: u32s(0), value: u64s(3) },
    { do: 'update', map: 'out', key: u32s(0), value: u64s(0) },
    { do: 'iter', link: 'order 2', iter: 'short' },
    { do: 'read', iter: 'short', size: 4096, all: true },
    { do: 'lookup', map: 'out', key: u32s(0), size: 8 },
    { do: 'update', map: 'out', key: u32s(0), value: u64s(2) },
    { do: 'iter', link: 'order 3', iter: 'at once' },
    { do: 'read', iter: 'at once', size: 4096, all: true },
    { do: 'lookup', map: 'out', key: u32s(0), size: 8 },
  ],
};

/** Programs are symbols too, of module `bpf`; the tag in front of their names is another in every kernel. */
const symbols: Scenario = {
  name: 'programs as symbols',
  text: `
  .license "GPL"
  .rodata "const char line[13]" = "%s %d %d %s\\n"
  .section "iter/ksym"
  .program vr_symbols
    r6 = r1
    r7 = *(u64 *)(r6 + 8)
    if r7 == 0 goto out
    r8 = r7; r8 += offsetof(kallsym_iter, name)
    r1 = r10; r1 += -8; w2 = 8; r3 = r8; call bpf_probe_read_kernel
    r1 = *(u64 *)(r10 - 8)
    r2 = 0x676f72705f667062 ll
    if r1 != r2 goto out
    r8 += 26
    ${ours('r8')}
    r1 = r7; r1 += offsetof(kallsym_iter, module_name); *(u64 *)(r10 - 48) = r1
    r1 = *(u8 *)(r7 + offsetof(kallsym_iter, type)); *(u64 *)(r10 - 40) = r1
    r1 = *(u8 *)(r7 + offsetof(kallsym_iter, exported)); *(u64 *)(r10 - 32) = r1
    *(u64 *)(r10 - 24) = r8
    ${print('line', 13, 4)}
  out: r0 = 0
    exit
  .section "raw_tp/sys_enter"
  .program vr_first
    r0 = 0
    exit
  .program vr_second
    r0 = 1
    exit`,
  steps: [
    ...load('vr_first', 'vr_symbols', 'vr_second'),
    { do: 'attach', prog: 'vr_symbols', link: 'link' },
    { do: 'iter', link: 'link', iter: 'iter' },
    { do: 'read', iter: 'iter', size: 4096, all: true },
  ],
};

export const targets: readonly Scenario[] = [objects, symbols, ...elementScenarios, writer, tasks, groups];
