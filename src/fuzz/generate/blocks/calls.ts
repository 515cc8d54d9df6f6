import { BPF_JEQ, BPF_JNE } from '../../../isa/constants.ts';
import type { Callee, Wanted } from '../callees.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { UNKNOWN_SCALAR } from '../scope.ts';
import { gather, moved, newGathering, otherKind, unknownOffset } from '../things/gather.ts';
import { giveBack } from '../things/kernel.ts';
import { callKfunc, type Gathering, type Put } from '../things/lend.ts';
import { drop } from '../things/local.ts';
import { callGlobal } from './functions.ts';
import { specialValue } from './values.ts';

/** Calls of anything with arguments that are made for it, sometimes one of another kind, sometimes within a section or a lock. */

/** The arguments with one of them replaced: by another kind of thing, or by one that another argument has. */
const swapped = (g: Generator, wanted: readonly Wanted[]): Wanted[] => {
  const { random } = g;
  const changed = wanted.slice();
  if (changed.length === 0) return changed;
  const at = random.below(changed.length);
  changed[at] = random.chance(0.15) ? random.pick(wanted) : random.chance(0.15) ? { kind: 'null' } : otherKind(g, changed[at]!);
  return changed;
};

/** What the call gave: a number, a pointer to look at, or a reference to give back when no lock is held any more. */
const takeResult = (g: Generator, callee: Callee, gathering: Gathering): void => {
  const { code, random, scope } = g;
  scope.called(callee.result === null ? UNKNOWN_SCALAR : null);
  if (callee.result === null) {
    if (callee.kfunc && !callee.acquires) scope.regs[0] = random.chance(0.5) ? null : UNKNOWN_SCALAR;
    return;
  }
  const isNode = callee.result.startsWith('bpf_list') || callee.result.startsWith('bpf_rb');
  const releaser = isNode ? null : g.kernel.callees.releaser(callee.result);
  const owes = callee.acquires && (isNode || releaser !== null || callee.roles.length > 0);
  const off = g.stackSpace(8);
  code.store(8, FP, off, 0);
  scope.reserve(off, 8);
  if (owes) {
    gathering.after.push(() => {
      if (g.wrongMoreOften(3)) return;
      const end = code.label();
      code.load(8, 1, FP, off);
      if (callee.mayBeNull) code.jumpK(BPF_JEQ, 1, 0, end);
      const put: Put = (reg) => code.load(8, reg, FP, off);
      if (releaser !== null) giveBack(g, releaser, put);
      else drop(g, put, callee.roles.includes('percpu_obj_new'));
      code.place(end);
    });
  }
  if (random.chance(0.5)) {
    const end = code.label();
    if (callee.mayBeNull && !g.wrongMoreOften(3)) code.jumpK(BPF_JEQ, 0, 0, end);
    if (random.chance(0.7)) code.load(random.pick([4, 8]), 0, 0, 4 * random.below(4));
    else code.storeImm(random.pick([4, 8]), 0, 8 * random.below(3), 0);
    code.place(end);
  }
  g.scope.regs[0] = null;
};

const write = (g: Generator, callee: Callee, wanted: readonly Wanted[]): void => {
  const gathering = newGathering();
  g.saveCallerRegisters();
  const call = (puts: readonly Put[]): void => apply(g, callee, puts, gathering, null);
  gather(g, wanted, gathering, (puts) => {
    if (g.wrongMoreOften(20)) surrounded(g, () => call(puts));
    else if (puts.length > 0 && g.wrongMoreOften(8)) unknownOffset(g, (offset) => apply(g, callee, puts, gathering, offset));
    else call(puts);
  });
  if (!g.scope.isEnded) for (const after of gathering.after.reverse()) after();
};

/** Puts the arguments in their places and calls; with `offset`, one of them is moved before. */
const apply = (g: Generator, callee: Callee, puts: readonly Put[], gathering: Gathering, offset: Put | null): void => {
  puts.forEach((put, i) => {
    if (i < 5) put(i + 1);
  });
  if (offset !== null) moved(g, 1 + g.random.below(Math.min(5, puts.length)), offset);
  if (callee.kfunc) g.code.callKfunc(callee.id);
  else g.code.callHelper(callee.id);
  takeResult(g, callee, gathering);
};

/** Pairs that open and close something in which not everything may be called. */
const SECTIONS = [
  ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'],
  ['bpf_preempt_disable', 'bpf_preempt_enable'],
] as const;

/** Writes code inside a section; sometimes the section is opened twice, closed twice, or not at all. */
export const surrounded = (g: Generator, inside: () => void): void => {
  const { random } = g;
  if (random.chance(0.35)) {
    const flags = g.stackSpace(8);
    g.stackPointer(1, flags);
    if (!callKfunc(g, 'bpf_local_irq_save')) return inside();
    g.scope.reserve(flags, 8);
    g.within({ owes: true }, inside);
    if (g.scope.isEnded || g.wrongMoreOften(3)) return;
    g.stackPointer(1, flags);
    callKfunc(g, 'bpf_local_irq_restore');
    g.scope.release(flags, 8);
    return;
  }
  const [open, close] = random.pick(SECTIONS);
  const again = g.wrongMoreOften(5);
  callKfunc(g, open);
  if (again) callKfunc(g, random.chance(0.5) ? open : close);
  g.within({ owes: true }, inside);
  if (g.scope.isEnded || g.wrongMoreOften(3)) return;
  callKfunc(g, close);
};

/** Any call that programs of the section may make, with fitting arguments; now and then one that they may not. */
const anyCall = (g: Generator): void => {
  const { random, kernel } = g;
  const own = kernel.callees.of(g.section);
  const callees = g.wrongMoreOften(3) || own.length === 0 ? kernel.callees.any : own;
  const kfuncs = random.chance(0.5);
  const chosen = random.weighted(callees, ({ kfunc, weight }) => (kfunc === kfuncs ? weight : 0));
  if (chosen === null) return;
  write(g, chosen, g.wrongMoreOften(30) ? swapped(g, chosen.wanted) : chosen.wanted);
};

/** Something that may sleep, within something that may not, or where nothing may. */
const sleepingCall = (g: Generator): void => {
  const sleeping = g.kernel.callees.of(g.section).filter(({ sleeps }) => sleeps);
  if (sleeping.length === 0) return;
  const callee = g.random.pick(sleeping);
  const call = (): void => write(g, callee, callee.wanted);
  if (g.wrongMoreOften(40)) surrounded(g, call);
  else call();
};

/** Two locks, or two interrupt flags, one after the other and given back in some order. */
const pairs = (g: Generator): void => {
  const { code, random } = g;
  const kind = random.pick(['lock', 'resilient-lock', 'irq-flag'] as const);
  const withFlags = kind === 'resilient-lock' && random.chance(0.4);
  const gathering = newGathering();
  const flags = [0, 1].map(() => {
    const at = g.stackSpace(8);
    g.scope.reserve(at, 8);
    return at;
  });
  g.saveCallerRegisters();
  const wanted: Wanted[] = kind === 'irq-flag' ? [] : [{ kind }, { kind }];
  gather(g, wanted, gathering, (puts) => {
    const first = random.below(2);
    const order = [first, g.wrongMoreOften(20) ? first : 1 - first];
    const take = (i: number): void => {
      puts[i]?.(1);
      if (kind === 'lock') code.callHelper(93);
      else if (kind === 'irq-flag') {
        g.stackPointer(1, flags[i]!);
        callKfunc(g, 'bpf_local_irq_save');
      } else {
        if (withFlags) g.stackPointer(2, flags[i]!);
        callKfunc(g, withFlags ? 'bpf_res_spin_lock_irqsave' : 'bpf_res_spin_lock');
      }
      g.scope.called(null);
    };
    const give = (i: number): void => {
      puts[i]?.(1);
      if (kind === 'lock') code.callHelper(94);
      else if (kind === 'irq-flag') {
        g.stackPointer(1, flags[i]!);
        callKfunc(g, 'bpf_local_irq_restore');
      } else {
        if (withFlags || g.wrongMoreOften(5)) g.stackPointer(2, flags[i]!);
        const isMixed = g.wrongMoreOften(5);
        callKfunc(g, withFlags !== isMixed ? 'bpf_res_spin_unlock_irqrestore' : 'bpf_res_spin_unlock');
      }
      g.scope.called(null);
    };
    const ends = [code.label(), code.label()];
    const single = kind === 'lock' && !g.wrongMoreOften(20);
    const taken = single ? [order[0]!] : order;
    taken.forEach((which, at) => {
      take(which);
      if (kind === 'resilient-lock') code.jumpK(BPF_JNE, 0, 0, ends[at]!);
    });
    const back = g.wrongMoreOften(15) ? taken.slice() : taken.slice().reverse();
    back.forEach((which, at) => {
      if (!g.wrongMoreOften(3)) give(which);
      code.place(ends[taken.length - 1 - at]!);
    });
    for (const label of ends) if (label.at === -1) code.place(label);
  });
  for (const at of flags) if (!g.scope.isEnded) g.scope.release(at, 8);
};

/** Instructions that arguments and what is done with a result take, about. */
const ROOM = 10;
const free = (g: Generator): boolean => !g.around.locked && g.room > ROOM;
const isSleepable = (g: Generator): boolean => g.section.subject.sleepable;

export const CALL_STEPS: readonly Step[] = [
  { name: 'any call', feature: 'call', weight: 6, ready: free, emit: anyCall },
  { name: 'sleeping call', feature: 'call', weight: 2, ready: (g) => free(g) && isSleepable(g), emit: sleepingCall },
  { name: 'call in a section', feature: 'call', weight: 2, ready: free, emit: (g) => surrounded(g, () => anyCall(g)) },
  { name: 'function in a section', feature: 'call', weight: 0.6, ready: free, emit: (g) => surrounded(g, () => callGlobal(g)) },
  { name: 'pairs', feature: 'call', weight: 1, ready: free, emit: pairs },
  { name: 'special value', feature: 'call', weight: 2.5, ready: free, emit: specialValue },
];
