/** Program types that are neither packets, sockets nor tracing. */
import type { ContextAnswer } from '../contracts/prog_type.ts';
import { type Access, contextTable, SCALAR, whole } from './context_table.ts';
import { attachTypes, progType, section, ZERO_OR_ONE } from './define.ts';

const SCALAR_ANSWER: ContextAnswer = { reg: SCALAR, fieldSize: 0 };
const U16_MAX = 0xffff;

/** syscall_prog_is_valid_access, kernel/bpf/syscall.c: aligned reads and writes below U16_MAX. */
const syscallAccess: Access = (query) =>
  query.off < 0 || query.off >= U16_MAX || query.off % query.size !== 0 ? null : SCALAR_ANSWER;

export const syscall = progType({
  id: 31,
  name: 'syscall',
  sections: [section('syscall', 0, 'SEC_SLEEPABLE')],
  contextKind: 'buffer',
  contextStruct: null,
  kernelContextStruct: null,
  contextArg: () => ({ anything: true }),
  access: syscallAccess,
  attachTypes: [0],
  sleepableOk: () => true,
  sleepableRequired: true,
  ops: 'bpf_syscall_verifier_ops',
  summary: 'runs on request with a buffer of the caller, and may make bpf(2) calls',
});

const TRUSTED_POINTER = { base: 'PTR_TO_BTF_ID', flags: ['PTR_TRUSTED'] } as const;

/** nf_is_valid_access, net/netfilter/nf_bpf_link.c. */
const NF_CTX = contextTable(16, [
  { name: 'state', off: 0, size: 8, read: whole(8), reg: TRUSTED_POINTER, btfType: 'nf_hook_state' },
  { name: 'skb', off: 8, size: 8, read: whole(8), reg: TRUSTED_POINTER, btfType: 'sk_buff' },
]);

export const netfilter = progType({
  id: 32,
  name: 'netfilter',
  config: 'CONFIG_NETFILTER_BPF_LINK',
  sections: [section('netfilter', 'BPF_NETFILTER')],
  contextStruct: 'bpf_nf_ctx',
  kernelContextStruct: 'bpf_nf_ctx',
  context: NF_CTX,
  returnRange: () => ZERO_OR_ONE,
  attachTypes: attachTypes('BPF_NETFILTER'),
  needs: ['net_admin'],
  ops: 'netfilter_verifier_ops',
  summary: 'accepts or drops a packet at a netfilter hook',
});

/** lirc_mode2_is_valid_access, drivers/media/rc/bpf-lirc.c: one 4-byte value. */
const LIRC_MODE2 = contextTable(4, [{ name: 'sample', off: 0, size: 4, read: whole(4) }]);

export const lircMode2 = progType({
  id: 20,
  name: 'lirc_mode2',
  config: 'CONFIG_BPF_LIRC_MODE2',
  sections: [section('lirc_mode2', 'BPF_LIRC_MODE2', 'SEC_ATTACHABLE', 'SEC_EXP_ATTACH_OPT')],
  contextStruct: null,
  kernelContextStruct: 'u32',
  context: LIRC_MODE2,
  ops: 'lirc_mode2_verifier_ops',
  summary: 'decodes pulses and spaces of an infrared remote control',
});
