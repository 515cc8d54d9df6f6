import type { Case } from '../fixture.ts';

const BTF = '.program "int prog(struct __sk_buff *skb)"';

/** A loop whose body is `body`; r6 is 0 before and read after it. */
const loop = (count: string, body: string, before = '', after = 'r0 = 0'): string => `
  .section "classifier"
  ${BTF}
  ${before}
  ${count}; r2 = body ll; r3 = r10; r3 += -8; r4 = 0; call bpf_loop
  ${after}; exit
  .func "static int body(__u64 index, void *ctx)"
  ${body}
  exit
`;

const MAPS = `
.map values hash key_size=4 value_size=8 max_entries=2
.map jumps prog_array key_size=4 value_size=4 max_entries=3
.map user user_ringbuf max_entries=4096
`;

const each = (map: string, body: string): string => `${MAPS}
  .section "classifier"
  ${BTF}
  r1 = ${map} ll; r2 = body ll; r3 = 0; r4 = 0; call bpf_for_each_map_elem
  r0 = 0; exit
  .func "static int body(void *map, void *key, void *value, void *ctx)"
  ${body}
  exit
`;

const TIMER = `
  .struct bpf_timer {
    __u64 a, b;
  }
  .struct value {
    struct bpf_timer timer;
    int x;
  }
  .map timers array key="int" value="struct value" max_entries=1
  .map others array key="int" value="struct value" max_entries=1
`;
const FIND_TIMER = '*(u32 *)(r10 - 8) = 0; r2 = r10; r2 += -8; r1 = timers ll; call bpf_map_lookup_elem; r6 = r0';

const timer = (use: string, body = 'r0 = 0'): string => `${TIMER}
  .section "classifier"
  ${BTF}
  ${FIND_TIMER}; ${use}
  r0 = 0; exit
  .func "static int tick(void *map, void *key, void *value)"
  ${body}
  exit
`;

export const CALLBACKS: readonly Case[] = [
  {
    rule: 'a loop body gets any index and the context of the loop',
    text: loop('r1 = 100', 'r0 = 0', '*(u64 *)(r10 - 8) = 0'),
    log: ['frame1: R1=scalar() R2=fp[0]-8 R10=fp0 cb'],
  },
  {
    rule: 'a loop without turns does not enter its body',
    text: loop('r1 = 0', 'r0 = *(u64 *)(r1 + 0)', '*(u64 *)(r10 - 8) = 0'),
  },
  {
    rule: 'a loop of one turn is entered once',
    text: loop('r1 = 1', 'r6 = r2; call bpf_ktime_get_ns; r0 &= 1; *(u64 *)(r6 + 0) = r0', '*(u64 *)(r10 - 8) = 0'),
    log: ['frame0 bpf_loop iteration limit reached'],
  },
  {
    rule: 'a pointer is no number of turns',
    text: loop('r1 = r10', 'r0 = 0', '*(u64 *)(r10 - 8) = 0'),
    refused: ['EFAULT', 'verifier bug: backtracking misuse'],
  },
  {
    rule: 'a body returns 0 or 1',
    text: loop('r1 = 100', 'r0 = 2', '*(u64 *)(r10 - 8) = 0'),
    refused: ['EINVAL', 'At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]'],
  },
  {
    rule: 'a body returns a number',
    text: loop('r1 = 100', 'r0 = r2', '*(u64 *)(r10 - 8) = 0'),
    refused: ['EINVAL', 'cannot return stack pointer to the caller'],
  },
  {
    rule: 'a body that returns anything',
    text: loop('r1 = 100', 'call bpf_ktime_get_ns', '*(u64 *)(r10 - 8) = 0'),
    refused: ['EINVAL', 'At callback return the register R0 has unknown scalar value should have been in [0, 1]'],
  },
  {
    rule: 'what a body changes is unknown after the loop',
    text: loop(
      'r1 = 100',
      'r3 = *(u64 *)(r2 + 0); r3 += 1; *(u64 *)(r2 + 0) = r3; r0 = 0',
      '*(u64 *)(r10 - 8) = 0',
      'r1 = *(u64 *)(r10 - 8); if r1 > 7 goto +1; r0 = 0; r0 = 1',
    ),
    log: ['cb'],
  },
  {
    rule: 'the context of a loop is a stack pointer or NULL',
    text: `.section "classifier"
      ${BTF}
      r3 = r1; r1 = 1; r2 = body ll; r4 = 0; call bpf_loop; r0 = 0; exit
      .func "static int body(__u64 index, void *ctx)"
      r0 = 0; exit`,
    refused: ['EACCES', 'R3 type=ctx expected=fp'],
  },
  {
    rule: 'a function is expected',
    text: `.section "classifier"
      ${BTF}
      r3 = 0; r1 = 1; r2 = 0; r4 = 0; call bpf_loop; r0 = 0; exit`,
    refused: ['EACCES', 'R2 type=scalar expected=func'],
  },
  {
    rule: 'a global function is no callback',
    text: `.section "classifier"
      ${BTF}
      r3 = 0; r1 = 1; r2 = body ll; r4 = 0; call bpf_loop; r0 = 0; exit
      .func "int body(__u64 index, void *ctx)"
      r0 = 0; exit`,
    refused: ['EINVAL', 'callback function not static'],
  },
  {
    rule: 'an element is seen as map, key and value',
    text: each('values', 'r0 = *(u32 *)(r2 + 0); r0 = *(u64 *)(r3 + 0); r0 = 0'),
    log: [
      'frame1: R1=map_ptr(map=values,ks=4,vs=8) R2=map_key(map=values,ks=4,vs=8) R3=map_value(map=values,ks=4,vs=8) R4=0 R10=fp0 cb',
    ],
  },
  {
    rule: 'a key is read only',
    text: each('values', '*(u32 *)(r2 + 0) = 0; r0 = 0'),
    refused: ['EACCES', 'write to change key R2 not allowed'],
  },
  {
    rule: 'maps without elements in order are not walked',
    text: each('jumps', 'r0 = 0'),
    refused: ['ENOTSUPP', 'callback function not allowed for map'],
  },
  {
    rule: 'a body may not run at all, so what it releases is not released',
    text: `.section "classifier"
      ${BTF}
      *(u64 *)(r10 - 48) = 0; *(u64 *)(r10 - 40) = 0; *(u64 *)(r10 - 32) = 0; *(u64 *)(r10 - 24) = 0; *(u64 *)(r10 - 16) = 0
      r2 = r10; r2 += -48; r3 = 36; r4 = 0; r5 = 0; call bpf_sk_lookup_tcp; if r0 == 0 goto out; *(u64 *)(r10 - 8) = r0
      r1 = 100; r2 = body ll; r3 = r10; r3 += -8; r4 = 0; call bpf_loop
      out: r0 = 0; exit
      .func "static int body(__u64 index, void *ctx)"
      r1 = *(u64 *)(r2 + 0); call bpf_sk_release; r0 = 0
      exit`,
    refused: ['EINVAL', 'BPF_EXIT instruction in main prog would lead to reference leak'],
    log: ['Unreleased reference id=2'],
  },
  {
    rule: 'messages of user space are dynptrs',
    text: `${MAPS} .section "classifier"
      ${BTF}
      r1 = user ll; r2 = body ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain; r0 = 0; exit
      .func "static int body(void *dynptr, void *ctx)"
      r2 = 0; r3 = 4; call bpf_dynptr_data; r0 = 0; exit`,
    log: ['frame1: R1=dynptr_ptr(id=1,type=local) R2=0 R10=fp0 cb', 'R0=mem_or_null(id=2,sz=4)'],
  },
  {
    rule: 'a memory area is found as object of the kernel',
    text: `.section "tp_btf/task_newtask"
      .program "int prog(void *ctx)"
      r1 = *(u64 *)(r1 + 0); r2 = 0; r3 = body ll; r4 = 0; r5 = 0; call bpf_find_vma; r0 = 0; exit
      .func "static int body(void *task, void *vma, void *ctx)"
      r0 = 0; exit`,
    log: ['frame1: R1=trusted_ptr_task_struct() R2=ptr_vm_area_struct() R3=0 R10=fp0 cb'],
  },
  {
    rule: 'a timer’s function starts from nothing',
    text: timer('r1 = r6; r2 = tick ll; call bpf_timer_set_callback'),
    log: [
      'R1=map_ptr(map=timers,ks=4,vs=24) R2=map_key(map=timers,ks=4,vs=24) R3=map_value(map=timers,ks=4,vs=24) R10=fp0 async_cb',
    ],
  },
  {
    rule: 'a timer’s function returns 0',
    text: timer('r1 = r6; r2 = tick ll; call bpf_timer_set_callback', 'r0 = 1'),
    refused: ['EINVAL', 'At async callback return the register R0 has smin=1 smax=1 should have been in [0, 0]'],
  },
  {
    rule: 'a timer’s function may set itself again',
    text: timer(
      'r1 = r6; r2 = tick ll; call bpf_timer_set_callback',
      'r1 = r3; r2 = tick ll; call bpf_timer_set_callback; r0 = 0',
    ),
  },
  {
    rule: 'a timer belongs to its map',
    text: timer('r2 = tick ll; r1 = r6; r2 = others ll; r3 = 0; call bpf_timer_init'),
    refused: ['EINVAL', "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0"],
  },
  {
    rule: 'a timer is pointed to exactly',
    text: timer('r2 = tick ll; r1 = r6; r1 += 8; r2 = 0; r3 = 0; call bpf_timer_start'),
    refused: ['EINVAL', "off 8 doesn't point to 'struct bpf_timer' that is at 0"],
  },
];
