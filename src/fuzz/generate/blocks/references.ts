import { FP, type Generator, type Step } from '../generator.ts';
import { type Kind, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { whenNotNull } from './maps.ts';
import { accessMemory } from './pointer.ts';

/** Uses, behind the call that gave it back, what a register points to. */
const useReleased = (g: Generator, reg: number, kind: Kind): void => {
  if (kind.kind === 'memory') accessMemory(g, reg);
  else g.code.load(4, g.targetBeside(reg), reg, 4);
};

/** Holds r0, which must be given back, in a register or a stack slot while `use` is written; answers how to get it back. */
const held = (g: Generator, kind: Kind, use: () => void, giveBack: (g: Generator) => void): void => {
  const { code } = g;
  const keeper = g.keeper();
  if (keeper !== null && g.random.chance(0.75)) {
    code.movX(keeper, 0);
    g.scope.regs[keeper] = kind;
    g.pinning(keeper, () => g.within({ owes: true }, use));
    if (g.scope.isEnded || g.wrong()) return;
    code.movX(1, keeper);
    giveBack(g);
    if (g.wrongMoreOften(3)) useReleased(g, keeper, kind);
    if (!g.wrong()) for (let reg = 0; reg < 10; reg++) if (g.scope.regs[reg] === kind) g.scope.regs[reg] = null;
    return;
  }
  const off = g.stackSpace(8);
  code.store(8, FP, off, 0);
  g.scope.reserve(off, 8);
  g.within({ owes: true }, use);
  if (g.scope.isEnded || g.wrong()) return;
  code.load(8, 1, FP, off);
  g.scope.release(off, 8);
  giveBack(g);
  for (let reg = 0; reg < 10; reg++) if (g.scope.regs[reg] === kind) g.scope.regs[reg] = null;
};

const ringRecord = (g: Generator): void => {
  const { code, random } = g;
  const size = random.pick([8, 16, 24, 64]);
  const ring = g.map('ring');
  g.saveCallerRegisters();
  g.loadMap(1, ring);
  code.movK(2, g.wrong() ? random.immediate() : size);
  code.movK(3, 0);
  code.callHelper(131);
  g.scope.called(null);
  const kind: Kind = { kind: 'memory', size, off: 0, writable: true, map: null };
  whenNotNull(g, kind, () =>
    held(
      g,
      kind,
      () => {
        const [reg] = g.having('memory').filter((candidate) => g.scope.regs[candidate] === kind);
        if (reg !== undefined) accessMemory(g, reg);
        g.body(random.between(0, 6));
      },
      () => {
        code.movK(2, 0);
        code.callHelper(random.pick([132, 133]));
        g.scope.called(null);
      },
    ),
  );
};

const SOCKET_FIELDS = [
  [0, 4],
  [4, 4],
  [8, 4],
  [12, 4],
  [16, 4],
  [20, 4],
  [24, 4],
  [44, 4],
  [48, 2],
  [72, 4],
] as const;

const socketLookup = (g: Generator): void => {
  const { code, random } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined) return;
  const size = random.pick([12, 36]);
  const tuple = g.stackData(size);
  g.saveCallerRegisters();
  if (ctx !== 1) code.movX(1, ctx);
  g.stackPointer(2, tuple);
  code.movK(3, size);
  code.movK(4, random.pick([0, -1]));
  code.movK(5, 0);
  code.callHelper(random.pick([84, 85, 99]));
  g.scope.called(null);
  const kind: Kind = { kind: 'opaque' };
  whenNotNull(g, kind, () =>
    held(
      g,
      kind,
      () => {
        const reg = g.scope.regs.indexOf(kind);
        if (reg >= 0 && random.chance(0.8)) {
          const [off, bytes] = random.pick(SOCKET_FIELDS);
          const dst = g.targetBeside(reg);
          code.load(bytes, dst, reg, g.wrong() ? off + 1 : off);
          g.scope.regs[dst] = scalarUpTo(2 ** (8 * bytes) - 1);
        }
        if (random.chance(0.3) && reg >= 6) {
          code.movX(1, reg);
          code.callHelper(random.pick([95, 96]));
          g.scope.called(null);
          whenNotNull(g, { kind: 'opaque' }, () => {
            code.load(4, g.targetBeside(0), 0, random.pick([0, 4, 8]));
          });
        }
        g.body(random.between(0, 5));
      },
      () => {
        code.callHelper(86);
        g.scope.called(UNKNOWN_SCALAR);
      },
    ),
  );
};

const SOCKET_TYPES = ['xdp', 'sched_cls', 'sched_act', 'cgroup_skb', 'sk_skb', 'cgroup_sock_addr'];

export const tailCall = (g: Generator): void => {
  const { code, random } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined) return;
  const programs = g.map('programs');
  g.saveCallerRegisters();
  const index = random.chance(0.5) ? null : g.having('scalar').find((reg) => reg > 5);
  if (ctx !== 1) code.movX(1, ctx);
  if (index === null || index === undefined) code.movK(3, random.below(6));
  else code.movX(3, index);
  g.loadMap(2, programs);
  code.callHelper(12);
  g.scope.called(null);
};

const ATOMIC_OPS = [0x00, 0x40, 0x50, 0xa0, 0x01, 0x41, 0x51, 0xa1, 0xe1, 0xf1] as const;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;

const atomic = (g: Generator): void => {
  const { code, random } = g;
  const size = random.pick([4, 8]);
  const writable = g.having('memory').filter((reg) => {
    const kind = g.kindOf(reg, 'memory')!;
    return kind.writable && kind.size - kind.off >= size;
  });
  const useStack = writable.length === 0 || random.chance(0.4);
  const base = useStack ? FP : random.pick(writable);
  const off = useStack ? g.stackData(8) : 0;
  const src = g.scalar();
  const isNewer = g.dials.cpu === 'v4' || g.dials.cpu === 'v3';
  const op = g.wrong() ? random.immediate() : random.pick(isNewer ? ATOMIC_OPS : ([0] as const));
  if (g.scope.isPinned(src)) return;
  if (g.dials.cpu === 'v4' && random.chance(0.2)) {
    if (random.chance(0.5)) {
      const dst = g.target();
      code.raw(0xc3 | (size === 8 ? 0x18 : 0), dst, base, off, LOAD_ACQUIRE);
      g.scope.regs[dst] = UNKNOWN_SCALAR;
    } else code.raw(0xc3 | (size === 8 ? 0x18 : 0), base, src, off, STORE_RELEASE);
    return;
  }
  if (op === 0xf1 && (g.scope.isPinned(0) || g.scope.regs[0]?.kind !== 'scalar')) {
    if (g.scope.isPinned(0)) return;
    g.newScalar(0);
  }
  if (base !== FP && g.scope.regs[base]?.kind !== 'memory') return;
  code.raw(0xc3 | (size === 8 ? 0x18 : 0), base, src, off, op);
  if (op === 0xf1) g.scope.regs[0] = UNKNOWN_SCALAR;
  else if ((op & 1) !== 0) g.scope.regs[src] = UNKNOWN_SCALAR;
};

const free = (g: Generator): boolean => !g.around.locked;

export const REFERENCE_STEPS: readonly Step[] = [
  { name: 'ring buffer record', feature: 'reference', weight: 2, ready: free, emit: ringRecord },
  {
    name: 'socket lookup',
    feature: 'reference',
    weight: 1.5,
    ready: (g) => free(g) && SOCKET_TYPES.includes(g.section.progType.name) && g.having('ctx').length > 0,
    emit: socketLookup,
  },
  {
    name: 'tail call',
    feature: 'tail-call',
    weight: 1,
    ready: (g) => free(g) && !g.around.owes && g.mayMap('programs'),
    emit: tailCall,
  },
  { name: 'atomic', feature: 'atomic', weight: 1, emit: atomic },
];
