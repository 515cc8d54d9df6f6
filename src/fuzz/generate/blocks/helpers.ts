import { FP, type Generator, type Step } from '../generator.ts';
import { type Kind, UNKNOWN_SCALAR } from '../scope.ts';
import { bound } from './alu.ts';

const NO_ARGUMENTS = [
  'bpf_ktime_get_ns',
  'bpf_get_prandom_u32',
  'bpf_get_smp_processor_id',
  'bpf_jiffies64',
  'bpf_get_numa_node_id',
] as const;

const plain = (g: Generator): void => {
  g.saveCallerRegisters();
  g.code.callHelper(g.kernel.helper(g.random.pick(NO_ARGUMENTS)));
  g.scope.called(UNKNOWN_SCALAR);
};

/** Puts `size` in a register: a constant, or a scalar between bounds. */
const sizeArgument = (g: Generator, reg: number, size: number): void => {
  const { code, random } = g;
  const [scalar] = g.having('scalar').filter((candidate) => candidate > 5);
  if (scalar !== undefined && g.wrongMoreOften(2)) {
    code.movX(reg, scalar);
    bound(g, reg, 2 * size + 1);
    code.aluK(0x00, reg, 1);
    return;
  }
  if (g.wrong()) {
    code.movK(reg, random.pick([0, -1, size + 1, size * 2, 1 << 29]));
    return;
  }
  if (random.chance(0.6)) {
    code.movK(reg, size, random.chance(0.7));
    return;
  }
  if (scalar === undefined || size < 2) {
    code.movK(reg, size);
    return;
  }
  code.movX(reg, scalar);
  bound(g, reg, size - 1);
  if (random.chance(0.5)) code.aluK(0x00, reg, 1);
};

/** Puts a pointer to `size` readable bytes in a register, on the stack or in a map. */
const readable = (g: Generator, reg: number, size: number): void => {
  const memory = g.having('memory').find((candidate) => {
    const kind = g.kindOf(candidate, 'memory')!;
    return candidate > 5 && kind.size - kind.off >= size;
  });
  if (memory !== undefined && g.random.chance(0.4)) g.code.movX(reg, memory);
  else g.stackPointer(reg, g.stackData(size));
};

const print = (g: Generator): void => {
  const { code, random, scope } = g;
  const formats = ['%d\n\0', '%x %u\0', 'hi\0', '%s\0', '%llu\0', '%d %d'];
  const text = random.pick(formats);
  const off = g.stackSpace(8);
  for (let i = 0; i < 8; i += 4) {
    let word = 0;
    for (let j = 3; j >= 0; j--) word = (word << 8) | (text.charCodeAt(i + j) || 0);
    code.storeImm(4, FP, off + i, word);
  }
  scope.write(off, 8, null);
  g.saveCallerRegisters();
  g.stackPointer(1, off);
  sizeArgument(g, 2, text.length);
  for (let reg = 3; reg <= 5; reg++) code.movK(reg, random.immediate());
  code.callHelper(6);
  scope.called(UNKNOWN_SCALAR);
};

const probeRead = (g: Generator): void => {
  const { code, random, scope } = g;
  const size = random.pick([1, 4, 8, 16, 40]);
  const off = g.stackSpace(size);
  g.saveCallerRegisters();
  code.movX(3, random.chance(0.5) ? FP : 10);
  g.stackPointer(1, off);
  sizeArgument(g, 2, size);
  code.callHelper(g.kernel.helper(random.pick(['bpf_probe_read_kernel', 'bpf_probe_read_user', 'bpf_probe_read_kernel_str'])));
  scope.called(UNKNOWN_SCALAR);
  scope.write(off, size, null);
};

/** A helper that fills or reads so much of the stack as a bounded number says; sometimes it is bounded too far. */
const variableSize = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = g.directMap();
  if (map.def.frozen) return;
  const size = random.pick([7, 15, 31]);
  const off = random.chance(0.5) ? -size - 1 : g.stackSpace(size + 1);
  if (!scope.isFree(off, size + 1)) return;
  for (let at = off; at < off + size + 1; at += 8) code.storeImm(8, FP, at, random.immediate());
  scope.write(off, size + 1, null);
  g.saveCallerRegisters();
  const reg = random.pick([2, 3]);
  code.wide(1, 2, map.index, 0);
  code.load(random.pick([1, 4, 8]), reg, 1, 0);
  bound(g, reg, g.wrongMoreOften(6) ? 2 * size + 1 : size);
  if (reg === 2) {
    g.stackPointer(1, off);
    code.movK(3, 0);
    code.callHelper(g.kernel.helper('bpf_probe_read_kernel'));
  } else {
    g.stackPointer(2, off);
    code.movK(4, 0);
    g.loadMap(1, g.map('ring'));
    code.callHelper(g.kernel.helper('bpf_ringbuf_output'));
  }
  scope.called(UNKNOWN_SCALAR);
};

const checksum = (g: Generator): void => {
  const { code, random, scope } = g;
  const size = 4 * random.between(1, 6);
  g.saveCallerRegisters();
  readable(g, 1, size);
  code.movK(2, size);
  if (random.chance(0.5)) {
    code.movK(3, 0);
    code.movK(4, 0);
  } else {
    g.stackPointer(3, g.stackData(4));
    code.movK(4, 4);
  }
  code.movK(5, 0);
  code.callHelper(28);
  scope.called(UNKNOWN_SCALAR);
};

const output = (g: Generator): void => {
  const { code, random, scope } = g;
  const size = random.pick([1, 4, 8, 16, 32]);
  if (random.chance(0.5)) {
    g.saveCallerRegisters();
    const ring = g.map('ring');
    readable(g, 2, size);
    sizeArgument(g, 3, size);
    code.movK(4, 0);
    g.loadMap(1, ring);
    code.callHelper(130);
  } else {
    const [ctx] = g.having('ctx');
    if (ctx === undefined || !g.mayMap('events')) return;
    const events = g.map('events');
    g.saveCallerRegisters();
    readable(g, 4, size);
    if (ctx !== 1) code.movX(1, ctx);
    sizeArgument(g, 5, size);
    g.loadMap(2, events);
    code.movK(3, random.pick([0, -1, 3]), false);
    code.callHelper(25);
  }
  scope.called(UNKNOWN_SCALAR);
};

const number = (g: Generator): void => {
  const { code, scope } = g;
  const text = g.stackData(8);
  const result = g.stackSpace(8);
  if (Math.abs(text - result) < 8) return;
  g.saveCallerRegisters();
  g.stackPointer(1, text);
  sizeArgument(g, 2, 8);
  code.movK(3, g.random.pick([0, 10, 16]));
  g.stackPointer(4, result);
  code.callHelper(g.random.pick([105, 106]));
  scope.called(UNKNOWN_SCALAR);
  scope.write(result, 8, null);
};

const command = (g: Generator): void => {
  const off = g.stackSpace(16);
  g.saveCallerRegisters();
  g.stackPointer(1, off);
  sizeArgument(g, 2, 16);
  g.code.callHelper(16);
  g.scope.called(UNKNOWN_SCALAR);
  g.scope.write(off, 16, null);
};

/** Any helper with any arguments: mostly refused, sometimes in ways that nothing else is. */
const any = (g: Generator): void => {
  const { code, random, scope } = g;
  const ids = g.kernel.profile.helpers.flatMap((helper) => (helper === undefined ? [] : [helper]));
  const helper = random.pick(ids);
  const proto = helper.protos[0];
  g.saveCallerRegisters();
  const args = proto?.args ?? [];
  for (let i = 0; i < Math.max(args.length, random.below(3)) && i < 5; i++) argument(g, i + 1, args[i]?.base ?? '');
  code.callHelper(helper.id);
  scope.called(UNKNOWN_SCALAR);
};

const argument = (g: Generator, reg: number, base: string): void => {
  const { code, random, scope } = g;
  const from = (kind: Kind['kind']): boolean => {
    const found = g.having(kind).filter((candidate) => candidate > 5 || candidate < reg);
    if (found.length === 0) return false;
    code.movX(reg, random.pick(found));
    scope.regs[reg] = { kind: 'opaque' };
    return true;
  };
  if (base.includes('CTX') && from('ctx')) return;
  if (base.includes('MAP_PTR')) return g.loadMap(reg, g.anyMap());
  if (base.includes('BTF_ID') && from('btf')) return;
  if (base.includes('MEM') || base.includes('MAP_KEY') || base.includes('MAP_VALUE') || base.includes('STR')) {
    g.stackPointer(reg, g.stackData(random.pick([4, 8, 16])));
    return;
  }
  if (base.includes('SIZE')) return sizeArgument(g, reg, random.pick([4, 8, 16]));
  if (from('scalar')) return;
  code.movK(reg, random.immediate());
};

const free = (g: Generator): boolean => !g.around.locked;

export const HELPER_STEPS: readonly Step[] = [
  { name: 'plain helper', feature: 'helper', weight: 3, ready: free, emit: plain },
  { name: 'print', feature: 'helper', weight: 1, ready: free, emit: print },
  { name: 'probe read', feature: 'helper', weight: 1.5, ready: free, emit: probeRead },
  { name: 'variable size', feature: 'helper', weight: 1, ready: free, emit: variableSize },
  { name: 'checksum', feature: 'helper', weight: 0.7, ready: (g) => free(g) && g.section.packet !== null, emit: checksum },
  { name: 'output', feature: 'helper', weight: 1, ready: free, emit: output },
  { name: 'number', feature: 'helper', weight: 0.6, ready: (g) => free(g) && g.section.packet === null, emit: number },
  { name: 'command name', feature: 'helper', weight: 0.4, ready: (g) => free(g) && g.section.packet === null, emit: command },
  { name: 'any helper', feature: 'helper', weight: 0.25, ready: free, emit: any },
];
