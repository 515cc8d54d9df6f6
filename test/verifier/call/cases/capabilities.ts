import type { Case } from '../fixture.ts';

const BPF = { bpf: true, perfmon: false, netAdmin: true, sysAdmin: false } as const;
const NONE = { bpf: false, perfmon: false, netAdmin: false, sysAdmin: false } as const;
const PERFMON = { bpf: false, perfmon: true, netAdmin: false, sysAdmin: false } as const;

const MAPS = `
.map jumps prog_array key_size=4 value_size=4 max_entries=3
.map others prog_array key_size=4 value_size=4 max_entries=3
.map values array key_size=4 value_size=16 max_entries=2
`;

export const CAPABILITIES: readonly Case[] = [
  {
    rule: 'a masked tail call goes into one array',
    caps: BPF,
    text: `${MAPS} .section "classifier"
      r6 = r1; call bpf_get_prandom_u32; r2 = jumps ll; if r0 == 0 goto go; r2 = others ll
      go: r1 = r6; r3 = 1; call bpf_tail_call; r0 = 0; exit`,
    refused: ['EINVAL', 'tail_call abusing map_ptr'],
  },
  {
    rule: 'an address is no number for a helper',
    caps: BPF,
    text: `${MAPS} .section "classifier"
      *(u32 *)(r10 - 8) = 0; *(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 24) = 0; r2 = r10; r2 += -8; r3 = r10; r3 += -24
      r4 = r10; r1 = values ll; call bpf_map_update_elem; r0 = 0; exit`,
    refused: ['EACCES', 'R4 leaks addr into helper function'],
  },
  {
    rule: 'an address is no result',
    caps: BPF,
    text: '.section "classifier"\nr0 = r1; exit',
    refused: ['EACCES', 'R0 leaks addr as return value'],
  },
  {
    rule: 'a helper for loaders with CAP_PERFMON',
    caps: BPF,
    text: '.section "classifier"\ncall bpf_get_current_task; r0 = 0; exit',
    refused: ['EINVAL', 'program of this type cannot use helper bpf_get_current_task#35'],
  },
  {
    rule: 'a constant key finds a value for loaders with CAP_BPF',
    caps: BPF,
    text: `${MAPS} .section "classifier"
      *(u32 *)(r10 - 8) = 1; r2 = r10; r2 += -8; r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
  },
  {
    rule: 'packet pointers are unreadable after a call that may move the packet',
    caps: BPF,
    text: `.section "classifier"
      r6 = r1; r7 = *(u32 *)(r1 + 76); r3 = *(u32 *)(r1 + 80); r4 = r7; r4 += 8; if r4 > r3 goto out
      r2 = 8; call bpf_skb_pull_data; r0 = r7
      out: r0 = 0; exit`,
    refused: ['EACCES', 'R7 !read_ok'],
  },
  {
    rule: 'functions need CAP_BPF',
    caps: NONE,
    text: 'call f; exit\n.func f\nr0 = 0\nexit',
    refused: ['EPERM', 'loading/calling other bpf or kernel functions are allowed for CAP_BPF and CAP_SYS_ADMIN'],
  },
  {
    rule: 'a constant key is not looked at without CAP_BPF',
    caps: NONE,
    text: `${MAPS}
      *(u32 *)(r10 - 8) = 1; r2 = r10; r2 += -8; r1 = values ll; call bpf_map_lookup_elem; r0 = *(u64 *)(r0 + 8); exit`,
    refused: ['EACCES', "R0 invalid mem access 'map_value_or_null'"],
  },
  {
    rule: 'CAP_PERFMON alone sees addresses',
    caps: PERFMON,
    text: 'r0 = r1; exit',
  },
];
