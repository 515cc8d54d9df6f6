import { BPF_ADD, BPF_JGE, BPF_JGT, BPF_JLE, BPF_JLT, BPF_SUB } from '../../../isa/constants.ts';
import type { Generator, Step } from '../generator.ts';
import { scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { bound } from './alu.ts';

const SIZES = [1, 2, 4, 8] as const;

/** Loads the bounds of the packet and compares, so that `size` bytes are known in one of the branches. */
const parse = (g: Generator): void => {
  const { code, random } = g;
  const facts = g.section.packet;
  const [ctx] = g.having('ctx');
  if (facts === null || ctx === undefined) return;
  const data = g.targetBeside(ctx);
  const end = g.targetBeside(ctx, data);
  const probe = g.targetBeside(ctx, data, end);
  if (new Set([ctx, data, end, probe]).size < 4) return;
  const useMeta = facts.meta >= 0 && random.chance(0.15);
  code.load(4, data, ctx, useMeta ? facts.meta : facts.data);
  code.load(4, end, ctx, useMeta ? facts.data : facts.end);
  const { scope } = g;
  scope.regs[end] = { kind: 'packet-end' };
  scope.regs[data] = { kind: 'packet', size: 0 };
  let base = data;
  if (random.chance(0.3)) {
    const index = g.unknown(g.targetBeside(ctx, data, end, probe));
    if (![ctx, data, end, probe].includes(index) && g.scope.regs[data] !== null && g.scope.regs[end] !== null) {
      bound(g, index, random.pick([3, 15, 60, 255, 0xffff]));
      code.aluX(BPF_ADD, index, data);
      g.scope.regs[index] = { kind: 'packet', size: 0 };
      base = index;
    }
  }
  if (g.scope.regs[base]?.kind !== 'packet' || g.scope.regs[end]?.kind !== 'packet-end') return;
  const size = random.pick([1, 2, 4, 8, 14, 20, 34, 54, 64]);
  code.movX(probe, base);
  code.aluK(BPF_ADD, probe, size);
  g.scope.regs[probe] = { kind: 'opaque' };
  compare(g, base, probe, end, size);
};

/** One of the eight shapes of the test that the probe is not beyond the end. */
const compare = (g: Generator, base: number, probe: number, end: number, size: number): void => {
  const { code, random } = g;
  const label = code.label();
  const good = { kind: 'packet', size } as const;
  const use = (): void => {
    g.scope.regs[base] = g.wrong() ? { kind: 'packet', size: size + 8 } : good;
    accessPacket(g, base);
    g.body(random.between(0, 6));
  };
  const shape = random.below(g.dials.cpu === 'v1' ? 2 : 4);
  const leavesWhenShort = shape % 2 === 0;
  const before = g.scope.clone();
  switch (shape) {
    case 0:
      code.jumpX(g.wrong() ? BPF_JGE : BPF_JGT, probe, end, label);
      break;
    case 1:
      code.jumpX(BPF_JGE, end, probe, label);
      break;
    case 2:
      code.jumpX(BPF_JLT, end, probe, label);
      break;
    default:
      code.jumpX(random.chance(0.8) ? BPF_JLE : BPF_JLT, probe, end, label);
  }
  if (leavesWhenShort) {
    use();
    code.place(label);
    g.scope.join(before);
    return;
  }
  const done = code.label();
  if (!g.around.owes && random.chance(0.6)) {
    g.exit();
    g.scope = before;
    code.place(label);
    use();
    return;
  }
  code.goto(done);
  code.place(label);
  use();
  code.place(done);
  g.scope.join(before);
};

export const accessPacket = (g: Generator, reg: number): void => {
  const { code, random, scope } = g;
  const kind = g.kindOf(reg, 'packet');
  if (kind === null) return;
  const size = random.pick(SIZES.filter((bytes) => bytes <= Math.max(1, kind.size)));
  const last = Math.max(0, kind.size - size);
  const off = g.wrong() ? last + 1 : random.below(last + 1);
  if (random.chance(0.3)) {
    code.storeImm(size, reg, off, random.immediate());
    return;
  }
  const dst = g.targetBeside(reg);
  code.load(size, dst, reg, off);
  scope.regs[dst] = size === 8 ? UNKNOWN_SCALAR : scalarUpTo(2 ** (8 * size) - 1);
};

const length = (g: Generator): void => {
  const { code, scope } = g;
  const [end] = g.having('packet-end');
  const [data] = g.having('packet');
  if (end === undefined || data === undefined) return;
  const dst = g.targetBeside(end, data);
  code.movX(dst, end);
  code.aluX(BPF_SUB, dst, data);
  scope.regs[dst] = UNKNOWN_SCALAR;
};

/** Helpers that move the packet: every pointer into it is gone. */
export const adjust = (g: Generator): void => {
  const { code, random, scope } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined) return;
  g.saveCallerRegisters();
  const isXdp = g.section.progType.name === 'xdp';
  const id = isXdp ? random.pick([44, 65, 54]) : random.pick([39, 43, 31, 38]);
  if (ctx !== 1) code.movX(1, ctx);
  code.movK(2, random.between(-16, 64));
  code.movK(3, 0);
  code.movK(4, 0);
  code.callHelper(id);
  if (!g.wrong()) scope.dropPackets();
  scope.called(UNKNOWN_SCALAR);
};

const loadBytes = (g: Generator): void => {
  const { code, random, scope } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined) return;
  const size = random.pick([1, 4, 6, 14, 16, 40]);
  const isStore = random.chance(0.3);
  const isXdp = g.section.progType.name === 'xdp';
  const data = isStore ? g.stackData(size) : g.stackSpace(size);
  g.saveCallerRegisters();
  if (ctx !== 1) code.movX(1, ctx);
  code.movK(2, random.below(64));
  g.stackPointer(3, data);
  code.movK(4, g.wrong() ? random.pick([0, -1, size + 8, 600]) : size);
  if (isStore && !isXdp) code.movK(5, random.below(4));
  code.callHelper(isXdp ? (isStore ? 190 : 189) : isStore ? 9 : 26);
  scope.called(UNKNOWN_SCALAR);
  if (isStore) scope.dropPackets();
  else scope.write(data, size, null);
};

const hasPacket = (g: Generator): boolean => g.section.packet !== null && g.having('ctx').length > 0;
const mayCall = (g: Generator): boolean => hasPacket(g) && !g.around.locked;

export const PACKET_STEPS: readonly Step[] = [
  { name: 'parse', feature: 'packet', weight: 5, ready: hasPacket, emit: parse },
  {
    name: 'access packet',
    feature: 'packet',
    weight: 2,
    ready: (g) => g.having('packet').length > 0,
    emit: (g) => accessPacket(g, g.random.pick(g.having('packet'))),
  },
  { name: 'packet length', feature: 'packet', weight: 0.5, ready: hasPacket, emit: length },
  { name: 'adjust packet', feature: 'packet', weight: 0.5, ready: mayCall, emit: adjust },
  { name: 'load bytes', feature: 'packet', weight: 1, ready: mayCall, emit: loadBytes },
];
