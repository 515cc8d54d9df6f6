import { load, type Scenario, type Step, u32s, u64s } from '../steps.ts';

/** Open-coded iterators and bpf_find_vma: what constructors answer, and what the elements are. */

const KEY = '00000000';
const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const MAX_LOOPS = 8 * 1024 * 1024;

/** A pointer to the only value of a map, in a register; without one the program ends. */
const value = (map: string, register: string): string => `
    w1 = 0; *(u32 *)(r10 - 52) = w1
    r1 = ${map} ll; r2 = r10; r2 += -52; call bpf_map_lookup_elem
    if r0 == 0 goto out
    ${register} = r0`;

const MAPS = `
  .license "GPL"
  .map config array key_size=4 value_size=32 max_entries=1
  .map out array key_size=4 value_size=64 max_entries=1
  .section "raw_tp/sys_enter"`;

/** Sum and count of the elements; one more step behind the end gives none. */
const NUM = `${MAPS}
  .program "int walk(void *ctx)"
    ${value('out', 'r8')}
    ${value('config', 'r7')}
    r1 = r10; r1 += -8; w2 = *(u32 *)(r7 + 0); w3 = *(u32 *)(r7 + 4); call bpf_iter_num_new
    r9 = r0
  next:
    r1 = r10; r1 += -8; call bpf_iter_num_next
    if r0 == 0 goto done
    r1 = *(s32 *)(r0 + 0)
    r2 = *(u64 *)(r8 + 0); r2 += r1; *(u64 *)(r8 + 0) = r2
    r2 = *(u64 *)(r8 + 8); r2 += 1; *(u64 *)(r8 + 8) = r2
    goto next
  done:
    r1 = r10; r1 += -8; call bpf_iter_num_next
    if r0 != 0 goto strange
    r1 = r10; r1 += -8; call bpf_iter_num_destroy
    r0 = r9
    exit
  strange:
    r1 = r10; r1 += -8; call bpf_iter_num_destroy
    r0 = 77
    exit
  out: r0 = 99
    exit`;

const num = (name: string, ranges: readonly (readonly [start: number, end: number])[]): Scenario => ({
  name,
  text: NUM,
  steps: [
    ...load('walk'),
    ...ranges.flatMap(([start, end]): Step[] => [
      { do: 'update', map: 'config', key: KEY, value: `${u32s(start, end)}${u64s(0, 0, 0)}` },
      { do: 'update', map: 'out', key: KEY, value: u64s(0, 0, 0, 0, 0, 0, 0, 0) },
      { do: 'run', prog: 'walk' },
      { do: 'lookup', map: 'out', key: KEY, size: 16 },
    ]),
  ],
});

/** Numbers of the bits that are set: their count, the first, the last, their sum. `words` is a map with four words. */
const bits = (pointer: string): string => `${MAPS}
  .map words array key_size=4 value_size=4096 max_entries=1
  .program "int walk(void *ctx)"
    ${value('out', 'r8')}
    ${value('config', 'r7')}
    ${value('words', 'r6')}
    r1 = r10; r1 += -16; ${pointer}; w3 = *(u32 *)(r7 + 0); call bpf_iter_bits_new
    r9 = r0
  next:
    r1 = r10; r1 += -16; call bpf_iter_bits_next
    if r0 == 0 goto done
    r1 = *(s32 *)(r0 + 0)
    r2 = *(u64 *)(r8 + 0); r2 += 1; *(u64 *)(r8 + 0) = r2
    *(u64 *)(r8 + 8) = r1
    r2 = *(u64 *)(r8 + 16); r2 += r1; *(u64 *)(r8 + 16) = r2
    goto next
  done:
    r1 = r10; r1 += -16; call bpf_iter_bits_next
    r2 = r0
    if r2 == 0 goto ended
    r2 = 1
  ended:
    *(u64 *)(r8 + 24) = r2
    r1 = r10; r1 += -16; call bpf_iter_bits_destroy
    r0 = r9
    exit
  out: r0 = 99
    exit`;

const bitScenario = (name: string, pointer: string, counts: readonly number[], words: string): Scenario => ({
  name,
  text: bits(pointer),
  steps: [
    ...load('walk'),
    { do: 'update', map: 'words', key: KEY, value: words.padEnd(8192, '0') },
    ...counts.flatMap((count): Step[] => [
      { do: 'update', map: 'config', key: KEY, value: u64s(count, 0, 0, 0) },
      { do: 'update', map: 'out', key: KEY, value: u64s(0, 0, 0, 0, 0, 0, 0, 0) },
      { do: 'run', prog: 'walk' },
      { do: 'lookup', map: 'out', key: KEY, size: 32 },
    ]),
  ],
});

/** Number of the first kernel thread. */
const KTHREADD = 2;

/** Constructors of the task iterator, and a walk over the threads of the caller. */
const TASK = `${MAPS}
  .program "int threads(void *ctx)"
    ${value('out', 'r8')}
    call bpf_get_current_task_btf
    r6 = r0
    r7 = 0
    r1 = r10; r1 += -24; r2 = r6; w3 = 2; call bpf_iter_task_new
    r9 = r0
  next:
    r1 = r10; r1 += -24; call bpf_iter_task_next
    if r0 == 0 goto done
    if r0 != r6 goto next
    r7 += 1
    goto next
  done:
    *(u64 *)(r8 + 0) = r7
    r1 = r10; r1 += -24; call bpf_iter_task_destroy
    r0 = r9
    exit
  out: r0 = 99
    exit
  .program "int nothing(void *ctx)"
    r1 = r10; r1 += -24; r2 = 0; w3 = 2; call bpf_iter_task_new
    r9 = r0
    r1 = r10; r1 += -24; call bpf_iter_task_next
    if r0 == 0 goto none
    r9 = 77
    none: r1 = r10; r1 += -24; call bpf_iter_task_destroy
    r0 = r9
    exit
  .program "int flags(void *ctx)"
    r1 = r10; r1 += -24; r2 = 0; w3 = 3; call bpf_iter_task_new
    r9 = r0
    r1 = r10; r1 += -24; call bpf_iter_task_next
    if r0 == 0 goto no_task
    r9 = 77
    no_task: r1 = r10; r1 += -24; call bpf_iter_task_destroy
    r0 = r9
    exit
  .program "int first(void *ctx)"
    r9 = 99
    r1 = r10; r1 += -24; r2 = 0; w3 = 0; call bpf_iter_task_new
    if r0 != 0 goto close
    r1 = r10; r1 += -24; call bpf_iter_task_next
    if r0 == 0 goto close
    r9 = *(s32 *)(r0 + offsetof(task_struct, pid))
    close: r1 = r10; r1 += -24; call bpf_iter_task_destroy
    r0 = r9
    exit`;

const tasks: Scenario = {
  name: 'tasks',
  text: TASK,
  steps: [
    ...load('threads', 'nothing', 'flags', 'first'),
    { do: 'run', prog: 'threads' },
    { do: 'lookup', map: 'out', key: KEY, size: 8 },
    { do: 'run', prog: 'nothing' },
    { do: 'run', prog: 'flags' },
    { do: 'run', prog: 'first' },
  ],
};

/**
 * Areas of the caller from an address on, as long as they lie below a limit: count, start and end of the first, end of the last,
 * flags of the first. The limit keeps the rest of the process out, which is another one in every kernel.
 */
const TASK_VMA = `${MAPS}
  .program "int walk(void *ctx)"
    ${value('out', 'r8')}
    ${value('config', 'r7')}
    call bpf_get_current_task_btf
    r1 = r10; r1 += -8; r2 = r0; r3 = *(u64 *)(r7 + 0); call bpf_iter_task_vma_new
    r9 = r0
  next:
    r1 = r10; r1 += -8; call bpf_iter_task_vma_next
    if r0 == 0 goto done
    r1 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_start))
    r2 = *(u64 *)(r7 + 8)
    if r1 >= r2 goto done
    r3 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_end))
    *(u64 *)(r8 + 24) = r3
    r4 = *(u64 *)(r8 + 0)
    r5 = r4; r5 += 1; *(u64 *)(r8 + 0) = r5
    if r4 != 0 goto next
    *(u64 *)(r8 + 8) = r1
    *(u64 *)(r8 + 16) = r3
    r4 = *(u64 *)(r0 + offsetof(vm_area_struct, vm_flags)); r4 &= 15
    *(u64 *)(r8 + 32) = r4
    goto next
  done:
    r1 = r10; r1 += -8; call bpf_iter_task_vma_destroy
    r0 = r9
    exit
  out: r0 = 99
    exit
  .program "int pair(void *ctx)"
    call bpf_get_current_task_btf
    r6 = r0
    r1 = r10; r1 += -8; r2 = r6; r3 = 0; call bpf_iter_task_vma_new
    r7 = r0
    r1 = r10; r1 += -16; r2 = r6; r3 = 0; call bpf_iter_task_vma_new
    r8 = r0
    r9 = 2
    r1 = r10; r1 += -8; call bpf_iter_task_vma_next
    if r0 != 0 goto one
    r9 += -1
    one: r1 = r10; r1 += -16; call bpf_iter_task_vma_next
    if r0 != 0 goto two
    r9 += -1
    two: r1 = r10; r1 += -8; call bpf_iter_task_vma_destroy
    r1 = r10; r1 += -16; call bpf_iter_task_vma_destroy
    if r7 s< 0 goto first_failed
    if r8 s< 0 goto second_failed
    r0 = r9
    exit
    first_failed: r0 = r7
    exit
    second_failed: r0 = r8
    exit
  .section "syscall"
  .program "int kernel_thread(void *ctx)"
    w1 = 2; call bpf_task_from_pid
    if r0 == 0 goto out2
    r6 = r0
    r1 = r10; r1 += -8; r2 = r6; r3 = 0; call bpf_iter_task_vma_new
    r9 = r0
    r1 = r10; r1 += -8; call bpf_iter_task_vma_next
    if r0 == 0 goto none
    r9 = 77
    none: r1 = r10; r1 += -8; call bpf_iter_task_vma_destroy
    r1 = r6; call bpf_task_release
    r0 = r9
    exit
  out2: r0 = 99
    exit`;

const PAGE = 4096;
/** Below the lowest address that the loader of a static program takes, above what mmap refuses. */
const BASE = 0x10_0000;
const LIMIT = 0x20_0000;
const [R, RW, RX] = [1, 3, 5];

const areas: Step[] = [
  { do: 'area', start: BASE, length: 2 * PAGE, protection: R },
  { do: 'area', start: BASE + 2 * PAGE, length: PAGE, protection: RW },
  { do: 'area', start: BASE + 0x10000, length: 3 * PAGE, protection: RX },
  { do: 'area', start: BASE + 0x20000, length: PAGE, protection: 0 },
];

const walkFrom = (address: number): Step[] => [
  { do: 'update', map: 'config', key: KEY, value: u64s(address, LIMIT, 0, 0) },
  { do: 'update', map: 'out', key: KEY, value: u64s(0, 0, 0, 0, 0, 0, 0, 0) },
  { do: 'run', prog: 'walk' },
  { do: 'lookup', map: 'out', key: KEY, size: 40 },
];

const taskVma: Scenario = {
  name: 'memory areas',
  text: TASK_VMA,
  steps: [
    ...load('walk', 'kernel_thread', 'pair'),
    ...areas,
    ...[0, BASE, BASE + 1, BASE + 2 * PAGE - 1, BASE + 2 * PAGE, BASE + 3 * PAGE, BASE + 0x20000, BASE + 0x21000].flatMap(
      walkFrom,
    ),
    { do: 'unmap', start: BASE + 0x10000, length: 3 * PAGE },
    ...walkFrom(BASE + PAGE),
    { do: 'run', prog: 'kernel_thread' },
    { do: 'run', prog: 'pair' },
  ],
};

const FIND_VMA = `${MAPS}
  .program "int find(void *ctx)"
    ${value('config', 'r7')}
    call bpf_get_current_task_btf
    r1 = r0; r2 = *(u64 *)(r7 + 0); r3 = found ll; r4 = 0; r5 = *(u64 *)(r7 + 8); call bpf_find_vma
    exit
  out: r0 = 99
    exit
  .func "static long found(struct task_struct *task, struct vm_area_struct *area, void *ctx)"
    r6 = r2
    r9 = r1
    w1 = 0; *(u32 *)(r10 - 52) = w1
    r1 = config ll; r2 = r10; r2 += -52; call bpf_map_lookup_elem
    if r0 == 0 goto end
    r7 = *(u64 *)(r0 + 16)
    r1 = out ll; r2 = r10; r2 += -52; call bpf_map_lookup_elem
    if r0 == 0 goto end
    r1 = *(u64 *)(r6 + offsetof(vm_area_struct, vm_start)); *(u64 *)(r0 + 0) = r1
    r1 = *(u64 *)(r6 + offsetof(vm_area_struct, vm_end)); *(u64 *)(r0 + 8) = r1
    r1 = *(u64 *)(r0 + 16); r1 += 1; *(u64 *)(r0 + 16) = r1
    if r7 == 0 goto end
    r0 = 1
    exit
    end: r0 = 0
    exit
  .section "iter/task"
  .program kernel_thread
    r6 = r1
    r1 = *(u64 *)(r6 + 8)
    if r1 == 0 goto out2
    r2 = 0x100000; r3 = never ll; r4 = 0; r5 = 0; call bpf_find_vma
    *(u64 *)(r10 - 8) = r0
    r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0); r2 = r10; r2 += -8; w3 = 8; call bpf_seq_write
  out2: r0 = 0
    exit
  .func "static long never(struct task_struct *task, struct vm_area_struct *area, void *ctx)"
    r0 = 0
    exit`;

const findAt = (address: number, flags = 0, answer = 0): Step[] => [
  { do: 'update', map: 'config', key: KEY, value: u64s(address, flags, answer, 0) },
  { do: 'update', map: 'out', key: KEY, value: u64s(0, 0, 0, 0, 0, 0, 0, 0) },
  { do: 'run', prog: 'find' },
  { do: 'lookup', map: 'out', key: KEY, size: 24 },
];

const findVma: Scenario = {
  name: 'the area at an address',
  text: FIND_VMA,
  steps: [
    ...load('find', 'kernel_thread'),
    ...areas,
    ...[0, BASE - 1, BASE, BASE + 2 * PAGE - 1, BASE + 2 * PAGE, BASE + 3 * PAGE, BASE + 0x20000].flatMap((at) => findAt(at)),
    ...findAt(BASE, 1),
    ...findAt(BASE, 0, 1),
    { do: 'attach', prog: 'kernel_thread', link: 'link', info: [KTHREADD] },
    { do: 'iter', link: 'link', iter: 'iter' },
    { do: 'read', iter: 'iter', size: 4096, all: true },
  ],
};

export const openCoded: readonly Scenario[] = [
  num('numbers', [
    [0, 10],
    [-10, 0],
    [-3, 3],
    [INT_MIN, INT_MIN + 2],
    [INT_MAX - 2, INT_MAX],
    [0, 0],
    [-1, -1],
    [INT_MIN, INT_MIN],
    [INT_MAX, INT_MAX],
  ]),
  num('numbers of a range that is none', [
    [1, 0],
    [INT_MAX, INT_MIN],
    [-1, MAX_LOOPS],
    [INT_MIN, INT_MAX],
    [0, MAX_LOOPS + 1],
  ]),
  bitScenario('bits', 'r2 = r6', [0, 1, 2, 3, 64, 511, 512, -1], u64s(0x8000000000000001n - 2n ** 64n, 0, 5)),
  bitScenario('bits of a word that is all ones', 'r2 = r6', [1, 2], u64s(-1)),
  bitScenario('bits of no word', 'r2 = 0', [1, 0], ''),
  bitScenario('bits at an address where nothing is', 'r2 = 0x1000', [1, 2], ''),
  tasks,
  taskVma,
  findVma,
];
