const GLOBAL = `
  .func "long probe(struct bpf_dynptr *dynptr)"
  w2 = 10; w3 = 10; call bpf_dynptr_data
  r0 = 0
  exit`;

/** A drain whose callback has this body; r1 is the dynptr, r2 the context, which is NULL. */
const drain = (body: string, more = ''): string => `
  .license "GPL"
  .map samples user_ringbuf max_entries=4096
  .map replies ringbuf max_entries=4096
  .map values array key_size=4 value_size=8 max_entries=1
  .section "raw_tp/sys_enter"
  .program "int prog(void *ctx)"
  r1 = samples ll; r2 = take ll; r3 = 0; r4 = 0; call bpf_user_ringbuf_drain
  r0 = 0
  exit
  .func "static long take(struct bpf_dynptr *dynptr, void *context)"
  ${body}
  r0 = 0
  exit
  ${more}`;

const FROM_MEM = `
  r6 = r1
  *(u32 *)(r10 - 4) = 0
  r1 = values ll; r2 = r10; r2 += -4; call bpf_map_lookup_elem
  if r0 == 0 goto out
  r1 = r0; w2 = 4; r3 = 0; r4 = r6; call bpf_dynptr_from_mem
  out:`;
const RESERVE = 'r4 = r1; r1 = replies ll; w2 = 8; r3 = 0; call bpf_ringbuf_reserve_dynptr';
const READ = 'r3 = r1; r1 = r10; r1 += -8; w2 = 8; r4 = 0; r5 = 0; *(u64 *)(r10 - 8) = r4; call bpf_dynptr_read';
const WRITE = '*(u64 *)(r10 - 8) = 1; r3 = r10; r3 += -8; r2 = 0; w4 = 8; r5 = 0; call bpf_dynptr_write';

export interface RingCallback {
  readonly rule: string;
  readonly text: string;
  /** a line of the log, or `accept` */
  readonly merged: string;
  /** as proposed: R1 is PTR_TO_DYNPTR; absent: the same */
  readonly version3?: string;
}

const RETURNS = 'At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]';

/** What callbacks of bpf_user_ringbuf_drain may do with the dynptr of a sample: the kernel's own tests, and what they leave out. */
export const RING_CALLBACKS: readonly RingCallback[] = [
  { rule: 'may read its sample', text: drain(READ), merged: 'accept' },
  { rule: 'may write to its sample', text: drain(WRITE), merged: 'accept' },
  { rule: 'may look at it directly', text: drain('r2 = 0; w3 = 8; call bpf_dynptr_data'), merged: 'accept' },
  {
    rule: 'looks at nothing before the dynptr',
    text: drain('r1 += -16; r2 = 0; w3 = 8; call bpf_dynptr_data'),
    merged: 'negative offset dynptr_ptr ptr R1 off=-16 disallowed',
  },
  {
    rule: 'looks at nothing behind the dynptr',
    text: drain('r1 += 16; r2 = 0; w3 = 8; call bpf_dynptr_data'),
    merged: 'dereference of modified dynptr_ptr ptr R1 off=16 disallowed',
  },
  {
    rule: 'stores nothing through the dynptr',
    text: drain('r2 = 0; *(u64 *)(r1 + 0) = r2'),
    merged: "R1 invalid mem access 'dynptr_ptr'",
  },
  {
    rule: 'loads nothing through the dynptr',
    text: drain('r2 = *(u64 *)(r1 + 0)'),
    merged: "R1 invalid mem access 'dynptr_ptr'",
  },
  { rule: 'stores nothing through NULL', text: drain('r1 = 0; *(u64 *)(r2 + 0) = r1'), merged: "R2 invalid mem access 'scalar'" },
  { rule: 'loads nothing through NULL', text: drain('r1 = *(u64 *)(r2 + 0)'), merged: "R2 invalid mem access 'scalar'" },
  {
    rule: 'does not discard the dynptr',
    text: drain('r2 = 0; call bpf_ringbuf_discard_dynptr'),
    merged: 'cannot release unowned const bpf_dynptr',
    version3: 'arg 1 is an unacquired reference',
  },
  {
    rule: 'does not submit the dynptr',
    text: drain('r2 = 0; call bpf_ringbuf_submit_dynptr'),
    merged: 'cannot release unowned const bpf_dynptr',
    version3: 'arg 1 is an unacquired reference',
  },
  { rule: 'answers 0 or 1', text: drain('call bpf_get_prandom_u32; if r0 == 0 goto +2; r0 = 2; exit'), merged: RETURNS },
  {
    rule: 'does not make another dynptr of it, from memory',
    text: drain(FROM_MEM),
    merged: 'Dynptr has to be an uninitialized dynptr',
    version3: 'accept',
  },
  {
    rule: 'does not make another dynptr of it, from a ring buffer',
    text: drain(RESERVE),
    merged: 'Dynptr has to be an uninitialized dynptr',
    version3: 'accept',
  },
  {
    rule: 'gives a global function the dynptr itself, not one far behind',
    text: drain('r1 += 16384; call probe', GLOBAL),
    merged: 'dereference of modified dynptr_ptr ptr R1 off=16384 disallowed',
  },
];
