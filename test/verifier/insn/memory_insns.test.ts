import { describeRules } from '../rules.ts';

const SLOT = 'r1 = 1\n*(u64 *)(r10 -8) = r1\n';

describeRules('atomics and odd loads', [
  ['atomic addition on the stack', `${SLOT}lock *(u64 *)(r10 -8) += r1\nr0 = 0\nexit`, 'accept'],
  ['fetching the old value', `${SLOT}r1 = atomic_fetch_add((u64 *)(r10 -8), r1)\nr0 = r1\nexit`, 'accept'],
  ['compare and exchange needs r0', `${SLOT}r0 = cmpxchg_64(r10 -8, r0, r1)\nexit`, 'R0 !read_ok'],
  ['atomics on unwritten stack', 'r1 = 1\nlock *(u32 *)(r10 -8) += r1\nr0 = 0\nexit', 'accept'],
  ['atomics on the context', 'r2 = 1\nlock *(u32 *)(r1 +0) += r2\nr0 = 0\nexit', 'BPF_ATOMIC stores into R1 ctx is not allowed'],
  ['misaligned atomics', `${SLOT}lock *(u64 *)(r10 -12) += r1\nr0 = 0\nexit`, 'misaligned stack access off 0+0+-12 size 8'],
  ['store of an unwritten register', '*(u64 *)(r10 -8) = r3\nr0 = 0\nexit', 'R3 !read_ok'],
  ['sign-extending load', '*(u64 *)(r10 -8) = -1\nr0 = *(s8 *)(r10 -8)\nexit', 'accept'],
  ['64-bit constant', 'r0 = 0x123456789abcdef0 ll\nexit', 'accept'],
  ['packet load without r6', 'r0 = *(u8 *)skb[0]\nexit', 'R6 !read_ok'],
  ['packet load', 'r6 = r1\nr0 = *(u16 *)skb[12]\nexit', 'accept'],
  ['packet load by register', 'r6 = r1\nr7 = 3\nr0 = *(u8 *)skb[r7 + 2]\nexit', 'accept'],
  ['packet load of something else', 'r6 = 1\nr0 = *(u8 *)skb[0]\nexit', 'at the time of BPF_LD_ABS|IND R6 != pointer to skb'],
  [
    'packet load in another program type',
    '.section "xdp"\n.program test\nr6 = r1\nr0 = *(u8 *)skb[0]\nexit',
    'BPF_LD_[ABS|IND] instructions not allowed for this program type',
  ],
]);
