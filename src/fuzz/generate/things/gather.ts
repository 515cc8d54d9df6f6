import { BPF_ADD, BPF_JEQ } from '../../../isa/constants.ts';
import { planCallback } from '../blocks/functions.ts';
import type { Wanted } from '../callees.ts';
import { FP, type Generator } from '../generator.ts';
import { LOCAL_STRUCTS, localOffset, localStructId } from '../object_types.ts';
import { PALETTE } from '../palette.ts';
import { UNKNOWN_SCALAR } from '../scope.ts';
import { percpu, socket, struct } from './kernel.ts';
import { anyNumber, callKfunc, fromCall, type Gathering, given, type Put, parked, type Source, type Use } from './lend.ts';
import { allocate, allocated, drop, heldNode, inMap, KPTRS, member, node, root } from './local.ts';
import { arena, DYNPTR_BYTES, data, dynptr, fresh, irqFlag, record, string } from './memory.ts';

/** Arguments for calls: what is asked for, or something else in its place. */

const ITER_BYTES = 24;
const PRANDOM = 7;

const iterator: Source = (g, { struct: name }, gathering, use) => {
  const maker = g.kernel.callees.named(`bpf_iter_${name ?? 'num'}_new`);
  if (maker === null) return use(given(g, 0));
  const at = g.stackSpace(ITER_BYTES);
  g.scope.reserve(at, ITER_BYTES);
  gather(g, maker.wanted.slice(1), gathering, (puts) => {
    for (const [i, put] of puts.entries()) put(i + 2);
    g.stackPointer(1, at);
    g.code.callKfunc(maker.id);
    g.scope.called(UNKNOWN_SCALAR);
    const shift = g.wrongMoreOften(4) ? g.random.pick([-8, 8]) : 0;
    g.within({ owes: true }, () => use((reg) => g.stackPointer(reg, at + shift)));
    if (g.scope.isEnded || g.wrongMoreOften(3)) return;
    g.stackPointer(1, at);
    callKfunc(g, `bpf_iter_${name ?? 'num'}_destroy`);
  });
  if (!g.scope.isEnded) g.scope.release(at, ITER_BYTES);
};
/** A pointer that is at hand, of any kind, as it is. */
const register: Source = (g, _, __, use) => {
  const pointers = [...Array(10).keys()].filter((reg) => {
    const kind = g.scope.regs[reg]?.kind;
    return kind !== undefined && kind !== 'scalar';
  });
  if (pointers.length === 0) return use((reg) => g.code.movX(reg, FP));
  const from = g.random.pick(pointers);
  if (from > 5) return use((reg) => g.code.movX(reg, from));
  return parked(g, from, use);
};

const anyMap: Source = (g, { maps }, gathering, use) => {
  const { random } = g;
  const palette = PALETTE.map(({ make }) => make());
  const fitting = palette.filter((def) => (maps === undefined || maps.includes(def.type)) && g.mayUse(def));
  const own = gathering.map !== null && random.chance(0.8) ? gathering.map : null;
  const map = own ?? g.addMap(random.pick(fitting.length === 0 || g.wrongMoreOften(5) ? palette : fitting));
  gathering.map = map;
  const [condition] = g.having('scalar').filter((reg) => reg > 5);
  if (condition === undefined || !g.wrongMoreOften(2)) return use((reg) => g.loadMap(reg, map));
  // one call, reached with one map or another
  const other = g.addMap(random.pick(fitting.length === 0 ? palette : fitting));
  use((reg) => {
    const over = g.code.label();
    g.loadMap(reg, map);
    g.code.jumpK(BPF_JEQ, condition, random.below(4), over);
    g.loadMap(reg, other);
    g.code.place(over);
  });
};

const sizeSource: Source = (g, _, __, use) =>
  use(g.wrongMoreOften(10) ? anyNumber(g) : given(g, g.random.pick([1, 4, 8, 12, 16])));

const context: Source = (g, _, __, use) => {
  const [ctx] = g.having('ctx').filter((reg) => reg > 5);
  if (ctx === undefined) {
    const [low] = g.having('ctx');
    if (low !== undefined) return parked(g, low, use);
    return use(given(g, 0));
  }
  const off = g.wrongMoreOften(5) ? g.random.pick([8, -8, 4]) : 0;
  use((reg) => {
    g.code.movX(reg, ctx);
    if (off !== 0) g.code.aluK(BPF_ADD, reg, off);
  });
};

const callback: Source = (g, _, __, use) => {
  const func = planCallback(g);
  if (func === null) return use(given(g, 0));
  use((reg) => g.code.functionAddress(reg, func.label));
};

const structId: Source = (g, { struct: where }, __, use) => {
  const { random } = g;
  const { btf } = g.kernel.profile;
  if (where === 'local') {
    g.allocates = true;
    const id = g.wrongMoreOften(10) ? random.below(60) : localStructId(random.pick(LOCAL_STRUCTS));
    return use(given(g, id));
  }
  const id = random.chance(0.5) ? random.below(btf.count) : (btf.findByName('task_struct', 'STRUCT')?.id ?? 1);
  return use(given(g, g.wrongMoreOften(8) ? random.pick([0, 1, -1, 1 << 30]) : id));
};

const simple =
  (put: (g: Generator) => Put): Source =>
  (g, _, __, use) =>
    use(put(g));

const SOURCES: Readonly<Record<Wanted['kind'], Source>> = {
  number: simple(anyNumber),
  'unknown-number': (g, _, __, use) => unknownOffset(g, use),
  'known-number': simple((g) => given(g, g.random.pick([0, 8, 16, 32]))),
  size: sizeSource,
  null: simple((g) => given(g, 0)),
  ctx: context,
  map: anyMap,
  data,
  room: fresh(8),
  key: data,
  value: data,
  'map-value': inMap('values', () => 0),
  string,
  struct,
  socket,
  allocated,
  refcounted: (g, wanted, gathering, use) => {
    const shared = (): void => allocate(g, g.wrongMoreOften(10) ? 'item' : 'shared', false);
    if (g.random.chance(0.7)) fromCall(g, shared, use, (put) => drop(g, put));
    else struct(g, wanted, gathering, use);
  },
  percpu,
  record,
  dynptr,
  'new-dynptr': fresh(DYNPTR_BYTES),
  iterator,
  'new-iterator': fresh(ITER_BYTES),
  'irq-flag': irqFlag,
  lock: inMap('locked', () => 0),
  'resilient-lock': inMap('patient', member('lock')),
  timer: inMap('timed', member('timer')),
  work: inMap('working', member('work')),
  'task-work': inMap('tasked', member('work')),
  kptr: inMap('kept', (g, name) => localOffset(name, g.random.pick(KPTRS))),
  function: callback,
  list: root('list'),
  tree: root('tree'),
  'list-node': node('list'),
  'tree-node': node('tree'),
  'held-node': heldNode,
  'struct-id': structId,
  arena,
  register,
};

/** Locks are taken when everything else is there; what they guard is looked for behind them. */
const rank = ({ kind }: Wanted): number => {
  if (kind === 'held-node') return 3;
  if (kind === 'list' || kind === 'tree') return 2;
  return kind === 'map' ? 1 : 0;
};

export const newGathering = (): Gathering => ({ map: null, root: null, after: [] });

/** Makes what is wanted, one thing after the other, and lends all of it at once. */
export function gather(
  g: Generator,
  wanted: readonly Wanted[],
  gathering: Gathering,
  then: (puts: readonly Put[]) => void,
): void {
  const puts: Put[] = wanted.map(() => given(g, 0));
  const order = wanted.map((_, i) => i).sort((a, b) => rank(wanted[a]!) - rank(wanted[b]!));
  const next = (at: number): void => {
    const index = order[at];
    if (index === undefined) {
      then(puts);
      return;
    }
    const one = wanted[index]!;
    SOURCES[one.kind](g, one, gathering, (put) => {
      puts[index] = put;
      next(at + 1);
    });
  };
  next(0);
}

/** Kinds of things that may stand where another is wanted. */
export const THING_KINDS = Object.keys(SOURCES) as readonly Wanted['kind'][];

/** Kinds that stand for each other best: values of maps and what lies in them, things on the stack, pointers to objects. */
const NEAR: readonly (readonly Wanted['kind'][])[] = [
  ['map-value', 'kptr', 'lock', 'timer', 'work', 'task-work', 'resilient-lock', 'allocated', 'data', 'list', 'tree', 'string'],
  ['dynptr', 'new-dynptr', 'iterator', 'new-iterator', 'irq-flag', 'room', 'data'],
  ['struct', 'socket', 'allocated', 'refcounted', 'ctx', 'record', 'null', 'list-node', 'tree-node', 'percpu', 'arena'],
  ['number', 'known-number', 'unknown-number', 'size', 'struct-id', 'null'],
];

/** Another kind in the place of one: often one that is near. */
export const otherKind = (g: Generator, { kind }: Wanted): Wanted => {
  const { random } = g;
  if (random.chance(0.25)) return { kind: 'register' };
  const near = NEAR.filter((kinds) => kinds.includes(kind));
  return { kind: random.pick(near.length > 0 && random.chance(0.65) ? random.pick(near) : THING_KINDS) };
};

/** Writes, before arguments are put in place, what `moved` needs: a number that nobody knows. */
export const unknownOffset = (g: Generator, use: Use): void => {
  g.code.callHelper(PRANDOM);
  g.scope.called(UNKNOWN_SCALAR);
  parked(g, 0, use);
};

/** Moves a pointer by a few bytes, or by a number that nobody knows. */
export const moved = (g: Generator, reg: number, offset: Put): void => {
  const { code, random } = g;
  if (random.chance(0.5)) {
    code.aluK(BPF_ADD, reg, random.pick([4, 8, -8, 1, 16]));
    return;
  }
  offset(0);
  code.aluK(0x50, 0, random.pick([1, 7, 8, 63]));
  code.aluX(BPF_ADD, reg, 0);
};
