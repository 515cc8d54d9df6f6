import { BPF_JEQ } from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { type Kind, UNKNOWN_SCALAR } from '../scope.ts';
import { whenNotNull } from './maps.ts';
import { accessMemory } from './pointer.ts';

const DYNPTR_BYTES = 16;
const FROM_MEM = 197;
const RESERVE = 198;
const SUBMIT = 199;
const DISCARD = 200;
const READ = 201;
const WRITE = 202;
const DATA = 203;

/** Uses a dynptr at a stack offset. */
const use = (g: Generator, at: number): void => {
  const { code, random } = g;
  const times = random.between(1, 2);
  for (let i = 0; i < times; i++) {
    const size = random.pick([1, 4, 8]);
    switch (random.below(5)) {
      case 0: {
        const to = g.stackSpace(size);
        g.stackPointer(1, to);
        code.movK(2, size);
        g.stackPointer(3, at);
        code.movK(4, random.below(8));
        code.movK(5, 0);
        code.callHelper(READ);
        g.scope.called(UNKNOWN_SCALAR);
        g.scope.write(to, size, null);
        break;
      }
      case 1: {
        const from = g.stackData(size);
        g.stackPointer(1, at);
        code.movK(2, random.below(8));
        g.stackPointer(3, from);
        code.movK(4, size);
        code.movK(5, 0);
        code.callHelper(WRITE);
        g.scope.called(UNKNOWN_SCALAR);
        break;
      }
      case 2:
        g.stackPointer(1, at);
        code.movK(2, random.below(8));
        code.movK(3, size);
        code.callHelper(DATA);
        g.scope.called(null);
        whenNotNull(g, { kind: 'memory', size, off: 0, writable: true, map: null }, () => {
          accessMemory(g, 0);
          if (g.random.chance(0.3)) g.body(2);
        });
        break;
      case 3:
        query(g, at);
        break;
      default:
        slice(g, at, size);
    }
    if (g.scope.isEnded) return;
  }
};

const query = (g: Generator, at: number): void => {
  const id = g.kernel.kfunc(
    g.random.pick(['bpf_dynptr_size', 'bpf_dynptr_is_null', 'bpf_dynptr_is_rdonly', 'bpf_dynptr_adjust']),
  );
  if (id === 0) return;
  g.stackPointer(1, at);
  g.code.movK(2, 0);
  g.code.movK(3, 4);
  g.code.callKfunc(id);
  g.scope.called(UNKNOWN_SCALAR);
};

const slice = (g: Generator, at: number, size: number): void => {
  const { code, random } = g;
  const isWritable = random.chance(0.4);
  const id = g.kernel.kfunc(isWritable ? 'bpf_dynptr_slice_rdwr' : 'bpf_dynptr_slice');
  if (id === 0) return;
  const buffer = g.stackSpace(8);
  g.stackPointer(1, at);
  code.movK(2, random.below(16));
  if (random.chance(0.6)) {
    g.stackPointer(3, buffer);
    g.scope.write(buffer, 8, null);
  } else code.movK(3, 0);
  code.movK(4, size);
  code.callKfunc(id);
  g.scope.called(null);
  whenNotNull(g, { kind: 'memory', size, off: 0, writable: isWritable, map: null }, () => accessMemory(g, 0));
};

const fromMemory = (g: Generator): void => {
  const { code, random } = g;
  const memory = g.having('memory').find((reg) => g.kindOf(reg, 'memory')!.map !== null && reg > 5);
  if (memory === undefined) return;
  const at = g.stackSpace(DYNPTR_BYTES);
  const kind = g.kindOf(memory, 'memory')!;
  g.saveCallerRegisters();
  code.movX(1, memory);
  code.movK(2, Math.max(1, kind.size - kind.off));
  code.movK(3, 0);
  g.stackPointer(4, at);
  code.callHelper(FROM_MEM);
  g.scope.called(UNKNOWN_SCALAR);
  g.scope.reserve(at, DYNPTR_BYTES);
  use(g, at);
  if (random.chance(0.5)) g.body(3);
  if (!g.scope.isEnded) g.scope.release(at, DYNPTR_BYTES);
};

const reserved = (g: Generator): void => {
  const { code, random } = g;
  const at = g.stackSpace(DYNPTR_BYTES);
  const ring = g.map('ring');
  g.saveCallerRegisters();
  g.loadMap(1, ring);
  code.movK(2, random.pick([8, 16, 64]));
  code.movK(3, 0);
  g.stackPointer(4, at);
  code.callHelper(RESERVE);
  g.scope.called(UNKNOWN_SCALAR);
  g.scope.reserve(at, DYNPTR_BYTES);
  g.within({ owes: true }, () => {
    if (random.chance(0.8)) use(g, at);
    g.body(random.between(0, 4));
  });
  if (g.scope.isEnded || g.wrong()) return;
  g.stackPointer(1, at);
  code.movK(2, 0);
  code.callHelper(random.pick([SUBMIT, DISCARD]));
  g.scope.called(null);
  g.scope.release(at, DYNPTR_BYTES);
  if (g.wrong()) use(g, at);
};

/** A slice of a record, and its use behind the call that submits the record. */
const sliceAfterwards = (g: Generator): void => {
  const { code, random } = g;
  const keeper = g.keeper();
  if (keeper === null) return;
  const at = g.stackSpace(DYNPTR_BYTES);
  const size = random.pick([4, 8]);
  g.saveCallerRegisters();
  g.loadMap(1, g.map('ring'));
  code.movK(2, 16);
  code.movK(3, 0);
  g.stackPointer(4, at);
  code.callHelper(RESERVE);
  g.scope.reserve(at, DYNPTR_BYTES);
  g.stackPointer(1, at);
  code.movK(2, random.below(8));
  code.movK(3, size);
  code.callHelper(DATA);
  code.movX(keeper, 0);
  const submit = code.label();
  const end = code.label();
  code.jumpK(BPF_JEQ, keeper, 0, submit);
  code.load(4, 0, keeper, 0);
  code.place(submit);
  g.stackPointer(1, at);
  code.movK(2, 0);
  code.callHelper(random.pick([SUBMIT, DISCARD]));
  g.scope.called(null);
  g.scope.release(at, DYNPTR_BYTES);
  code.jumpK(BPF_JEQ, keeper, 0, end);
  if (random.chance(0.5)) code.load(4, 0, keeper, 0);
  else code.storeImm(4, keeper, 0, 1);
  code.place(end);
  g.scope.regs[keeper] = null;
};

/** A dynptr over the packet. */
const fromPacket = (g: Generator): void => {
  const { code, random } = g;
  const [ctx] = g.having('ctx');
  const isXdp = g.section.progType.name === 'xdp';
  const id = g.kernel.kfunc(isXdp ? 'bpf_dynptr_from_xdp' : 'bpf_dynptr_from_skb');
  if (ctx === undefined || id === 0) return;
  const at = g.stackSpace(DYNPTR_BYTES);
  g.saveCallerRegisters();
  if (ctx !== 1) code.movX(1, ctx);
  code.movK(2, 0);
  g.stackPointer(3, at);
  code.callKfunc(id);
  g.scope.called(UNKNOWN_SCALAR);
  g.scope.reserve(at, DYNPTR_BYTES);
  use(g, at);
  if (random.chance(0.2) && !g.scope.isEnded) {
    const copy = g.stackSpace(DYNPTR_BYTES);
    const clone = g.kernel.kfunc('bpf_dynptr_clone');
    if (clone !== 0 && Math.abs(copy - at) >= DYNPTR_BYTES) {
      g.stackPointer(1, at);
      g.stackPointer(2, copy);
      code.callKfunc(clone);
      g.scope.called(UNKNOWN_SCALAR);
      g.scope.reserve(copy, DYNPTR_BYTES);
      use(g, copy);
      if (!g.scope.isEnded) g.scope.release(copy, DYNPTR_BYTES);
    }
  }
  if (g.random.chance(0.4)) g.body(3);
  if (!g.scope.isEnded) g.scope.release(at, DYNPTR_BYTES);
};

/** Touches the slots of a dynptr as if they were data. */
const overwrite = (g: Generator): void => {
  const at = g.stackSpace(DYNPTR_BYTES);
  g.saveCallerRegisters();
  g.loadMap(1, g.map('ring'));
  g.code.movK(2, 8);
  g.code.movK(3, 0);
  g.stackPointer(4, at);
  g.code.callHelper(RESERVE);
  g.scope.called(UNKNOWN_SCALAR);
  const off = at + g.random.below(16);
  if (g.random.chance(0.5)) g.code.storeImm(1, FP, off, 0);
  else g.code.load(1, 0, FP, off);
  g.scope.regs[0] = UNKNOWN_SCALAR as Kind;
  g.stackPointer(1, at);
  g.code.movK(2, 0);
  g.code.callHelper(SUBMIT);
  g.scope.called(null);
};

const free = (g: Generator): boolean => !g.around.locked;

export const DYNPTR_STEPS: readonly Step[] = [
  {
    name: 'dynptr from memory',
    feature: 'dynptr',
    weight: 1.5,
    ready: (g) => free(g) && g.having('memory').some((reg) => reg > 5 && g.kindOf(reg, 'memory')!.map !== null),
    emit: fromMemory,
  },
  { name: 'ring buffer dynptr', feature: 'dynptr', weight: 1.5, ready: free, emit: reserved },
  { name: 'overwritten dynptr', feature: 'dynptr', weight: 0.1, ready: (g) => free(g) && g.dials.wrong > 0, emit: overwrite },
  {
    name: 'slice of a submitted record',
    feature: 'dynptr',
    weight: 0.6,
    ready: (g) => free(g) && g.wrongMoreOften(4),
    emit: sliceAfterwards,
  },
  {
    name: 'packet dynptr',
    feature: 'dynptr',
    weight: 1,
    ready: (g) => free(g) && g.section.packet !== null && g.having('ctx').length > 0,
    emit: fromPacket,
  },
];
