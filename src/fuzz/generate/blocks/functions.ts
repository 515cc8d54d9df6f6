import { BPF_ADD, BPF_AND } from '../../../isa/constants.ts';
import type { PlannedFunction } from '../functions.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { isTracing } from '../kernel.ts';
import { type Kind, Scope, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { whenNotNull } from './maps.ts';

const CALL_DEPTH = 4;

/** A function that is called before it is written. */
export const plan = (
  g: Generator,
  fields: Pick<PlannedFunction, 'role' | 'params' | 'prototype' | 'maxResult'> & Partial<Pick<PlannedFunction, 'begin'>>,
): PlannedFunction => {
  const name = `f${g.functions.length}`;
  const func: PlannedFunction = {
    begin: null,
    ...fields,
    name,
    prototype: fields.prototype.replace('NAME', name),
    label: g.code.label(),
    depth: g.depth + 1,
  };
  g.functions.push(func);
  return func;
};

export const mayAdd = (g: Generator): boolean => g.functions.length < g.dials.functions && g.depth < CALL_DEPTH && g.room > 4;

const C_TYPES = ['unsigned long long', 'unsigned int', 'int', 'long long'] as const;

/** Kinds that a static function may be given. */
const passable = (kind: Kind | null): kind is Kind =>
  kind !== null && (kind.kind === 'scalar' || kind.kind === 'ctx' || kind.kind === 'memory' || kind.kind === 'packet');

/** A call of a static function that is made for it, or of one that was made for another call. */
const callStatic = (g: Generator): void => {
  const { code, random } = g;
  const old = g.functions.filter(({ role, depth }) => role === 'static' && depth > g.depth);
  if (old.length > 0 && random.chance(0.4)) {
    const func = random.pick(old);
    func.params.forEach((kind, i) => {
      const reg = i + 1;
      const same = kind === null ? undefined : g.having(kind.kind).find((candidate) => candidate > 5 || candidate === reg);
      if (same !== undefined && kind?.kind !== 'scalar') code.movX(reg, same);
      else code.movK(reg, random.immediate());
    });
    code.callFunction(func.label);
    g.scope.called(scalarUpTo(func.maxResult));
    return;
  }
  if (!mayAdd(g)) return;
  const params: (Kind | null)[] = [];
  const count = random.below(4);
  g.saveCallerRegisters();
  for (let reg = 1; reg <= count; reg++) {
    const sources = [...Array(10).keys()].filter(
      (candidate) => passable(g.scope.regs[candidate] ?? null) && (candidate > 5 || candidate >= reg),
    );
    const src = sources.length === 0 ? null : random.pick(sources);
    if (random.chance(0.15)) {
      const off = g.stackData(8);
      g.stackPointer(reg, off);
      params.push({ kind: 'memory', size: 8, off: 0, writable: true, map: null });
      continue;
    }
    if (src === null) code.movK(reg, random.immediate());
    else if (src !== reg) code.movX(reg, src);
    const kind: Kind = src === null ? UNKNOWN_SCALAR : g.scope.regs[src]!;
    g.scope.regs[reg] = kind;
    params.push(kind);
  }
  const prototype = `int NAME(${params.map((_, i) => `${C_TYPES[0]} a${i}`).join(', ') || 'void'})`;
  const func = plan(g, { role: 'static', params, prototype, maxResult: random.chance(0.5) ? Number.POSITIVE_INFINITY : 1 });
  code.callFunction(func.label);
  g.scope.called(scalarUpTo(func.maxResult));
};

/** A call of a global function: verified on its own, by its prototype. */
export const callGlobal = (g: Generator): void => {
  const { code, random } = g;
  if (!mayAdd(g)) return;
  const params: (Kind | null)[] = [];
  const declared: string[] = [];
  const [ctx] = g.having('ctx');
  const context = g.section.progType.contextStruct;
  g.saveCallerRegisters();
  const count = random.below(4);
  for (let reg = 1; reg <= count; reg++) {
    if (ctx !== undefined && context !== null && reg === 1 && random.chance(0.5)) {
      if (ctx !== 1) code.movX(1, ctx);
      params.push({ kind: 'ctx' });
      declared.push(`struct ${context} *a${reg}`);
    } else if (random.chance(0.35)) {
      g.stackPointer(reg, g.stackData(8));
      const kind: Kind = { kind: 'memory', size: 8, off: 0, writable: true, map: null };
      params.push(random.chance(0.9) ? null : kind);
      declared.push(`unsigned long long *a${reg}`);
    } else {
      code.movK(reg, random.immediate());
      params.push(UNKNOWN_SCALAR);
      declared.push(`${random.pick(C_TYPES)} a${reg}`);
    }
  }
  const func = plan(g, {
    role: 'global',
    params,
    prototype: `int NAME(${declared.join(', ') || 'void'})`,
    maxResult: Number.POSITIVE_INFINITY,
  });
  code.callFunction(func.label);
  g.scope.called(UNKNOWN_SCALAR);
};

/** Puts something for a callback in a register: a pointer to the stack or nothing. Answers what the callback sees. */
const callbackContext = (g: Generator, reg: number): Kind => {
  if (g.random.chance(0.5)) {
    g.stackPointer(reg, g.stackData(8));
    return { kind: 'memory', size: 8, off: 0, writable: true, map: null };
  }
  g.code.movK(reg, 0);
  return scalarUpTo(0);
};

const CALLBACK_TYPE = 'long NAME(unsigned long long a, unsigned long long b, unsigned long long c, unsigned long long d)';

const bpfLoop = (g: Generator): void => {
  const { code, random } = g;
  if (!mayAdd(g)) return;
  g.saveCallerRegisters();
  const kind = callbackContext(g, 3);
  const func = plan(g, {
    role: 'callback',
    params: [UNKNOWN_SCALAR, kind],
    prototype: CALLBACK_TYPE,
    maxResult: g.wrong() ? 2 : 1,
  });
  code.functionAddress(2, func.label);
  code.movK(1, random.pick([0, 1, 2, 10, 100, 1 << 23]));
  code.movK(4, 0);
  code.callHelper(181);
  g.scope.called(UNKNOWN_SCALAR);
};

const forEach = (g: Generator): void => {
  const { code, random } = g;
  if (!mayAdd(g)) return;
  g.saveCallerRegisters();
  const map = g.map('values');
  const kind = callbackContext(g, 3);
  const value: Kind = { kind: 'memory', size: map.def.valueSize, off: 0, writable: true, map: map.index };
  const key: Kind = { kind: 'memory', size: map.def.keySize, off: 0, writable: false, map: null };
  const func = plan(g, {
    role: 'callback',
    params: [{ kind: 'opaque' }, key, value, kind],
    prototype: CALLBACK_TYPE,
    maxResult: 1,
  });
  code.functionAddress(2, func.label);
  g.loadMap(1, map);
  code.movK(4, random.chance(0.95) ? 0 : 1);
  code.callHelper(164);
  g.scope.called(UNKNOWN_SCALAR);
};

const STRAY_HELPERS = ['bpf_spin_lock', 'bpf_spin_unlock', 'bpf_tail_call', 'bpf_map_delete_elem', 'bpf_dynptr_write'] as const;
const STRAY_KFUNCS = [
  'bpf_rcu_read_lock',
  'bpf_rcu_read_unlock',
  'bpf_preempt_disable',
  'bpf_preempt_enable',
  'bpf_res_spin_unlock',
  'bpf_local_irq_restore',
  'bpf_rbtree_remove',
  'bpf_rbtree_first',
  'bpf_list_pop_front',
  'bpf_throw',
  'bpf_dynptr_clone',
] as const;

/** A call that opens, closes or leaves something, where it stands: with what the first registers hold, or a value with a lock. */
export const strayCall = (g: Generator): void => {
  const { code, random } = g;
  if (random.chance(0.4)) code.wide(1, 2, g.map('graph').index, random.pick([0, 8, 24]));
  if (random.chance(0.35)) code.callHelper(g.kernel.helper(random.pick(STRAY_HELPERS)));
  else code.callKfunc(g.kernel.kfunc(random.pick(STRAY_KFUNCS)));
  g.scope.called(null);
};

/** A function that something else is to call back; null where no more fit in. */
export const planCallback = (g: Generator): PlannedFunction | null => {
  if (!mayAdd(g)) return null;
  const { random } = g;
  const memory = (size: number): Kind => ({ kind: 'memory', size, off: 0, writable: true, map: null });
  const params: (Kind | null)[] = random.chance(0.5)
    ? [{ kind: 'opaque' }, { kind: 'memory', size: 4, off: 0, writable: g.wrongMoreOften(5), map: null }, memory(4)]
    : [{ kind: 'opaque' }, { kind: 'opaque' }, null];
  const opens = g.wrongMoreOften(25);
  const begin = (): void => {
    if (opens) strayCall(g);
  };
  return plan(g, { role: 'callback', params, prototype: CALLBACK_TYPE, maxResult: g.wrongMoreOften(5) ? 5 : 0, begin });
};

/** A callback that counts on its caller's stack, within a few values; afterwards the count is an offset into the stack. */
const counting = (g: Generator): void => {
  const { code, random } = g;
  if (!mayAdd(g)) return;
  const data = g.stackData(16);
  const count = g.stackSpace(8);
  if (Math.abs(data - count) < 16) return;
  code.storeImm(8, FP, count, 0);
  g.scope.write(count, 8, null);
  g.saveCallerRegisters();
  const isLoop = random.chance(0.6);
  const at = isLoop ? 2 : 4;
  const mask = random.pick([1, 3, 7]);
  const begin = (): void => {
    code.load(8, 0, at, 0);
    code.aluK(BPF_ADD, 0, random.pick([1, 1, 2, 3]));
    code.aluK(BPF_AND, 0, mask);
    code.store(8, at, 0, 0);
    g.scope.regs[0] = scalarUpTo(mask);
  };
  const kind: Kind = { kind: 'memory', size: 8, off: 0, writable: true, map: null };
  const map = isLoop ? null : g.map('values');
  const params: (Kind | null)[] = isLoop ? [UNKNOWN_SCALAR, kind] : [{ kind: 'opaque' }, null, null, kind];
  const func = plan(g, { role: 'callback', params, prototype: CALLBACK_TYPE, maxResult: random.chance(0.7) ? 0 : 1, begin });
  g.stackPointer(3, count);
  code.functionAddress(2, func.label);
  if (map === null) code.movK(1, random.pick([2, 3, 5, 10]));
  else g.loadMap(1, map);
  code.movK(4, 0);
  code.callHelper(map === null ? 181 : 164);
  g.scope.called(UNKNOWN_SCALAR);
  const index = g.target();
  const pointer = g.targetBeside(index);
  code.load(8, index, FP, count);
  code.movX(pointer, FP);
  code.aluX(BPF_ADD, pointer, index);
  code.load(1, index, pointer, data);
  g.scope.regs[index] = scalarUpTo(255);
  g.scope.regs[pointer] = { kind: 'opaque' };
};

/** A timer in a map value, with the function that it runs. */
export const timer = (g: Generator): void => {
  const { code, random } = g;
  if (!mayAdd(g)) return;
  const map = g.map('timed');
  g.saveCallerRegisters();
  g.stackPointer(2, g.stackData(4));
  g.loadMap(1, map);
  code.callHelper(1);
  g.scope.called(null);
  const value: Kind = { kind: 'memory', size: 8, off: 0, writable: true, map: map.index };
  whenNotNull(g, value, () => {
    const keeper = g.keeper();
    if (keeper === null) return;
    code.movX(keeper, 0);
    g.scope.regs[keeper] = value;
    const atTimer = (reg: number): void => {
      code.movX(reg, keeper);
      code.aluK(0x00, reg, g.wrong() ? 0 : 8);
    };
    atTimer(1);
    g.loadMap(2, map);
    code.movK(3, 1);
    code.callHelper(169);
    g.scope.called(UNKNOWN_SCALAR);
    atTimer(1);
    const func = plan(g, {
      role: 'callback',
      params: [{ kind: 'opaque' }, { kind: 'memory', size: 4, off: 0, writable: false, map: null }, value],
      prototype: CALLBACK_TYPE,
      maxResult: 0,
    });
    code.functionAddress(2, func.label);
    code.callHelper(170);
    g.scope.called(UNKNOWN_SCALAR);
    if (random.chance(0.7)) {
      atTimer(1);
      code.movK(2, random.below(1000));
      code.movK(3, 0);
      code.callHelper(171);
      g.scope.called(UNKNOWN_SCALAR);
    }
  });
};

/** Writes the functions that were planned; they may plan more. */
export const writeFunctions = (g: Generator): void => {
  for (let i = 0; i < g.functions.length; i++) {
    const func = g.functions[i]!;
    g.current = func;
    g.code.place(func.label);
    const scope = new Scope();
    func.params.forEach((kind, index) => {
      scope.regs[index + 1] = kind;
    });
    g.scope = scope;
    g.around = { locked: false, nesting: func.role === 'callback' ? 2 : 1, owes: false };
    func.begin?.();
    const share = Math.max(3, Math.floor(g.room / (g.functions.length - i)));
    g.body(share);
    if (!g.scope.isEnded) g.exit();
  }
  g.current = null;
};

const free = (g: Generator): boolean => !g.around.locked;

const mostlyFree = (g: Generator): boolean => free(g) || g.wrongMoreOften(10);

export const FUNCTION_STEPS: readonly Step[] = [
  { name: 'static function', feature: 'subprogram', weight: 3, ready: mostlyFree, emit: callStatic },
  { name: 'global function', feature: 'subprogram', weight: 1, ready: mostlyFree, emit: callGlobal },
  { name: 'stray call', feature: 'call', weight: 0.5, emit: strayCall },
  { name: 'bpf_loop', feature: 'callback', weight: 3, ready: free, emit: bpfLoop },
  { name: 'counting callback', feature: 'callback', weight: 1, ready: free, emit: counting },
  { name: 'for each element', feature: 'callback', weight: 2, ready: free, emit: forEach },
  {
    name: 'timer',
    feature: 'callback',
    weight: 0.5,
    ready: (g) => free(g) && (g.wrong() || !isTracing(g.section.progType.name)),
    emit: timer,
  },
];
