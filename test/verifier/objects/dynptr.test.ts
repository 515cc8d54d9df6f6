import { describeRules, type Rule } from '../rules.ts';
import { egress, func, lookup, OUT, stack, tc, tracepoint, xdp } from './prelude.ts';

/** Makes a dynptr over the packet `depth` bytes below the frame pointer; the context is in r1. */
const fromSkb = (depth = 16): string => `r2 = 0; ${stack(3, depth)}; call bpf_dynptr_from_skb`;
const size = (depth = 16): string => `${stack(1, depth)}; call bpf_dynptr_size`;
const slice = (bytes: number | string, write = ''): string =>
  `${stack(1, 16)}; r2 = 0; r3 = 0; r4 = ${bytes}; call bpf_dynptr_slice${write}`;
const reserve = `r1 = ring ll; r2 = 8; r3 = 0; ${stack(4, 16)}; call bpf_ringbuf_reserve_dynptr`;
const clone = `${stack(1, 16)}; ${stack(2, 32)}; call bpf_dynptr_clone`;
const overMap = `${lookup('bytes', 'r1')}; r2 = 8; r3 = 0; ${stack(4, 16)}; call bpf_dynptr_from_mem`;
const END = 'r0 = 0; exit';

const RULES: readonly Rule[] = [
  ['a dynptr is made and asked', tc(`${fromSkb()}; ${size()}; ${END}`), 'accept'],
  [
    'a dynptr over a packet needs its context',
    tc(`r1 = 0; ${fromSkb()}; ${END}`),
    'Possibly NULL pointer passed to trusted arg0',
  ],
  ['stack without dynptr', tc(`${size()}; ${END}`), 'Expected an initialized dynptr as arg #0'],
  ['a dynptr is passed by its start', tc(`${fromSkb()}; ${size(8)}; ${END}`), 'Expected an initialized dynptr as arg #0'],
  [
    'a dynptr does not survive the store of a byte',
    tc(`${fromSkb()}; *(u8 *)(r10 - 1) = 0; ${size()}; ${END}`),
    'Expected an initialized dynptr as arg #0',
  ],
  [
    'a dynptr does not survive one that overlaps it',
    tc(`r6 = r1; ${fromSkb()}; r1 = r6; ${fromSkb(24)}; ${size()}; ${END}`),
    'Expected an initialized dynptr as arg #0',
  ],
  [
    'the place of a dynptr is known',
    tc(`r7 = *(u32 *)(r1 + 0); r7 &= 8; r2 = 0; ${stack(3, 24)}; r3 += r7; call bpf_dynptr_from_skb; ${END}`),
    'Dynptr has to be an uninitialized dynptr',
  ],
  ['a dynptr is aligned', tc(`${fromSkb(15)}; ${END}`), 'Dynptr has to be an uninitialized dynptr'],
  ['a dynptr takes two slots', tc(`${fromSkb(8)}; ${END}`), 'Dynptr has to be an uninitialized dynptr'],
  [
    'a function may make a dynptr in the frame of its caller',
    tc(
      `${stack(2, 16)}; call f; ${size()}; ${END}`,
      func('static int f(void *ctx, void *p)', `r3 = r2; r2 = 0; call bpf_dynptr_from_skb; ${END}`),
    ),
    'accept',
  ],
  ['a slice is read inside', tc(`${fromSkb()}; ${slice(16)}; if r0 == 0 goto out; r1 = *(u64 *)(r0 + 8); ${OUT}`), 'accept'],
  [
    'a slice is not read beyond its end',
    tc(`${fromSkb()}; ${slice(16)}; if r0 == 0 goto out; r1 = *(u64 *)(r0 + 9); ${OUT}`),
    'R0 min value is outside of the allowed memory range',
  ],
  [
    'a slice is not written',
    tc(`${fromSkb()}; ${slice(16)}; if r0 == 0 goto out; *(u64 *)(r0 + 8) = 0; ${OUT}`),
    'R0 cannot write into rdonly_mem',
  ],
  [
    'a slice for writing is written',
    tc(`${fromSkb()}; ${slice(16, '_rdwr')}; if r0 == 0 goto out; *(u64 *)(r0 + 8) = 0; ${OUT}`),
    'accept',
  ],
  [
    'a slice for writing needs a program that may write packets',
    egress(`${fromSkb()}; ${slice(16, '_rdwr')}; r0 = 1; exit`),
    'the prog does not allow writes to packet data',
  ],
  [
    'so does one over other memory',
    tracepoint(`${overMap}; ${slice(8, '_rdwr')}; ${OUT}`),
    'the prog does not allow writes to packet data',
  ],
  [
    'a slice for writing outlives its dynptr',
    tc(`${overMap}; ${slice(8, '_rdwr')}; if r0 == 0 goto out; *(u64 *)(r10 - 16) = 0; *(u64 *)(r0 + 0) = 0; ${OUT}`),
    'accept',
  ],
  [
    'memory from a dynptr does not outlive it',
    tc(
      `${overMap}; ${stack(1, 16)}; r2 = 0; r3 = 8; call bpf_dynptr_data; if r0 == 0 goto out; *(u64 *)(r10 - 16) = 0; *(u64 *)(r0 + 0) = 0; ${OUT}`,
    ),
    "R0 invalid mem access 'scalar'",
  ],
  [
    'a slice does not survive a change of the packet',
    tc(
      `r6 = r1; ${fromSkb()}; ${slice(16)}; if r0 == 0 goto out; r7 = r0; r1 = r6; r2 = 0; call bpf_skb_pull_data; r1 = *(u64 *)(r7 + 0); ${OUT}`,
    ),
    "R7 invalid mem access 'scalar'",
  ],
  [
    'the size of a slice is known',
    tc(`r6 = *(u32 *)(r1 + 0); r6 &= 15; ${fromSkb()}; ${slice('r6')}; ${END}`),
    'R4 must be a known constant',
  ],
  [
    'a buffer is as large as its slice',
    tc(`${fromSkb()}; ${stack(1, 16)}; r2 = 0; ${stack(3, 32)}; *(u64 *)(r10 - 24) = 0; r4 = 64; call bpf_dynptr_slice; ${END}`),
    'arg#2 arg#3 memory, len pair leads to invalid memory access',
  ],
  [
    'the size of a slice is not negative',
    tc(`${fromSkb()}; ${stack(1, 16)}; r2 = 0; ${stack(3, 32)}; r4 = -1; call bpf_dynptr_slice; ${END}`),
    'arg#2 arg#3 memory, len pair leads to invalid memory access',
  ],
  ['a clone is a dynptr', tc(`${fromSkb()}; ${clone}; ${size(32)}; ${END}`), 'accept'],
  ['a dynptr may be cloned onto itself', tc(`${fromSkb()}; ${stack(1, 16)}; r2 = r1; call bpf_dynptr_clone; ${END}`), 'accept'],
  ['only a dynptr is cloned', tc(`${clone}; ${END}`), 'Expected an initialized dynptr as arg #0'],
  [
    'clones go with what they share',
    tc(`${reserve}; ${clone}; ${stack(1, 32)}; r2 = 0; call bpf_ringbuf_submit_dynptr; ${size()}; ${END}`),
    'Expected an initialized dynptr as arg #0',
  ],
  [
    'a dynptr with a reference is not overwritten',
    tc(`${reserve}; *(u64 *)(r10 - 8) = 0; ${END}`),
    'cannot overwrite referenced dynptr',
  ],
  [
    'a dynptr with a reference is given back',
    tc(`${reserve}; ${END}`),
    'BPF_EXIT instruction in main prog would lead to reference leak',
  ],
  [
    'only what was reserved is submitted',
    tc(`${fromSkb()}; ${stack(1, 16)}; r2 = 0; call bpf_ringbuf_submit_dynptr; ${END}`),
    'arg 1 is an unacquired reference',
  ],
  [
    'one dynptr is copied to another',
    tc(
      `r6 = r1; ${fromSkb()}; r1 = r6; ${fromSkb(32)}; ${stack(1, 16)}; r2 = 0; ${stack(3, 32)}; r4 = 0; r5 = 4; call bpf_dynptr_copy; ${END}`,
    ),
    'accept',
  ],
  [
    'a dynptr over packet metadata',
    tc(
      `r2 = 0; ${stack(3, 16)}; call bpf_dynptr_from_skb_meta; ${slice(4, '_rdwr')}; if r0 == 0 goto out; *(u32 *)(r0 + 0) = 1; ${OUT}`,
    ),
    'accept',
  ],
  [
    'a dynptr over an XDP frame',
    xdp(
      `r2 = 0; ${stack(3, 16)}; call bpf_dynptr_from_xdp; ${slice(4, '_rdwr')}; if r0 == 0 goto out; *(u32 *)(r0 + 0) = 1; ${OUT}`,
    ),
    'accept',
  ],
];

describeRules('dynptrs', RULES);
