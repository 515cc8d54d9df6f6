import { BPF_JEQ } from '../../../isa/constants.ts';
import type { Generator, Step } from '../generator.ts';
import { isTracing } from '../kernel.ts';
import { type Kind, UNKNOWN_SCALAR } from '../scope.ts';
import { whenNotNull } from './maps.ts';

const call = (g: Generator, name: string, result: Kind | null): boolean => {
  const id = g.kernel.kfunc(name);
  if (id === 0) return false;
  g.code.callKfunc(id);
  g.scope.called(result);
  return true;
};

const ITER_BYTES = 8;

/** An open-coded iterator over numbers: new, a loop of next, destroy. */
const numbers = (g: Generator): void => {
  const { code, random } = g;
  if (g.kernel.kfunc('bpf_iter_num_new') === 0) return;
  const at = g.stackSpace(ITER_BYTES);
  g.saveCallerRegisters();
  g.stackPointer(1, at);
  code.movK(2, random.pick([0, -5, 3]));
  code.movK(3, random.pick([0, 1, 10, 1000]));
  call(g, 'bpf_iter_num_new', UNKNOWN_SCALAR);
  g.scope.reserve(at, ITER_BYTES);
  const head = code.label();
  const done = code.label();
  code.place(head);
  g.scope.widen();
  g.stackPointer(1, at);
  call(g, 'bpf_iter_num_next', null);
  const before = g.scope.clone();
  if (!g.wrong()) code.jumpK(BPF_JEQ, 0, 0, done);
  g.scope.regs[0] = { kind: 'memory', size: 4, off: 0, writable: false, map: null };
  g.within({ owes: true, nesting: g.around.nesting + 1 }, () => {
    if (random.chance(0.7)) {
      const dst = g.target();
      code.load(4, dst, 0, 0);
      g.scope.regs[dst] = UNKNOWN_SCALAR;
    }
    g.body(random.between(0, 8));
  });
  if (!g.scope.isEnded) code.goto(head);
  code.place(done);
  g.scope = before;
  if (g.wrong()) return;
  g.stackPointer(1, at);
  call(g, 'bpf_iter_num_destroy', null);
  g.scope.release(at, ITER_BYTES);
};

const SECTIONS = [
  ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'],
  ['bpf_preempt_disable', 'bpf_preempt_enable'],
] as const;

/** Code between two kfuncs that open and close a section. */
const section = (g: Generator): void => {
  const { random } = g;
  const [open, close] = random.pick(SECTIONS);
  if (g.kernel.kfunc(open) === 0) return;
  g.saveCallerRegisters();
  call(g, open, null);
  g.within({ owes: true }, () => g.body(random.between(1, 6)));
  if (g.scope.isEnded || g.wrong()) return;
  g.saveCallerRegisters();
  call(g, close, null);
};

const interrupts = (g: Generator): void => {
  const at = g.stackSpace(8);
  if (g.kernel.kfunc('bpf_local_irq_save') === 0) return;
  g.saveCallerRegisters();
  g.stackPointer(1, at);
  call(g, 'bpf_local_irq_save', null);
  g.scope.reserve(at, 8);
  g.within({ owes: true }, () => g.body(g.random.between(1, 5)));
  if (g.scope.isEnded || g.wrong()) return;
  g.stackPointer(1, at);
  call(g, 'bpf_local_irq_restore', null);
  g.scope.release(at, 8);
};

/** A reference to a task: acquired, held, released. */
const task = (g: Generator): void => {
  const { code, random } = g;
  g.saveCallerRegisters();
  if (random.chance(0.5)) {
    code.callHelper(158);
    g.scope.called({ kind: 'btf', struct: 'task_struct' });
    code.movX(1, 0);
    if (!call(g, 'bpf_task_acquire', null)) return;
  } else {
    code.movK(1, 1);
    if (!call(g, 'bpf_task_from_pid', null)) return;
  }
  const kind: Kind = { kind: 'btf', struct: 'task_struct' };
  whenNotNull(g, kind, () => {
    const keeper = g.keeper();
    if (keeper === null && !g.wrong()) {
      code.movX(1, 0);
      call(g, 'bpf_task_release', null);
      return;
    }
    const reg = keeper ?? 9;
    code.movX(reg, 0);
    g.scope.regs[reg] = kind;
    g.pinning(reg, () =>
      g.within({ owes: true }, () => {
        field(g, reg);
        g.body(random.between(0, 5));
      }),
    );
    if (g.scope.isEnded || g.wrong()) return;
    code.movX(1, reg);
    call(g, 'bpf_task_release', null);
    g.scope.regs[reg] = null;
    for (let at = 0; at < 10; at++) if (g.scope.regs[at] === kind) g.scope.regs[at] = null;
  });
};

const cpumask = (g: Generator): void => {
  const { code, random } = g;
  g.saveCallerRegisters();
  if (!call(g, 'bpf_cpumask_create', null)) return;
  const kind: Kind = { kind: 'btf', struct: 'bpf_cpumask' };
  whenNotNull(g, kind, () => {
    const keeper = g.keeper();
    if (keeper === null) {
      code.movX(1, 0);
      call(g, 'bpf_cpumask_release', null);
      return;
    }
    code.movX(keeper, 0);
    g.scope.regs[keeper] = kind;
    g.pinning(keeper, () =>
      g.within({ owes: true }, () => {
        code.movK(1, random.below(4));
        code.movX(2, keeper);
        call(g, random.pick(['bpf_cpumask_set_cpu', 'bpf_cpumask_test_cpu', 'bpf_cpumask_clear_cpu']), UNKNOWN_SCALAR);
        g.body(random.between(0, 4));
      }),
    );
    if (g.scope.isEnded || g.wrong()) return;
    code.movX(1, keeper);
    call(g, 'bpf_cpumask_release', null);
    g.scope.regs[keeper] = null;
    for (let at = 0; at < 10; at++) if (g.scope.regs[at] === kind) g.scope.regs[at] = null;
  });
};

const STRUCT_REACH: Readonly<Record<string, number>> = { task_struct: 4096, bpf_cpumask: 1024 };

/** Reads a field of a kernel struct. */
const field = (g: Generator, reg: number): void => {
  const { code, random } = g;
  const kind = g.kindOf(reg, 'btf');
  if (kind === null) return;
  const { btf } = g.kernel.profile;
  const struct = btf.findByName(kind.struct, 'STRUCT');
  const member = struct === undefined ? undefined : random.pick(struct.members);
  const size = member === undefined ? 8 : (btf.sizeOf(member.type) ?? 8);
  const off =
    member === undefined || g.wrong() ? random.below(STRUCT_REACH[kind.struct] ?? 256) : Math.floor(member.bitOffset / 8);
  const dst = g.targetBeside(reg);
  code.load(size === 1 || size === 2 || size === 4 ? size : 8, dst, reg, off);
  const isPointer = member !== undefined && btf.skipModifiers(member.type).kind === 'PTR';
  g.scope.regs[dst] = isPointer ? { kind: 'opaque' } : UNKNOWN_SCALAR;
};

/** A pointer to a kernel struct from the context or a helper, and fields of it. */
const kernelStruct = (g: Generator): void => {
  const { code } = g;
  const known = g.having('btf');
  if (known.length > 0) {
    field(g, g.random.pick(known));
    return;
  }
  if (g.around.locked || !mayCall(g, 'bpf_get_current_task_btf')) return;
  g.saveCallerRegisters();
  code.callHelper(158);
  g.scope.called({ kind: 'btf', struct: 'task_struct' });
  const keeper = g.keeper();
  if (keeper !== null) {
    code.movX(keeper, 0);
    g.scope.regs[keeper] = g.scope.regs[0]!;
  }
  field(g, 0);
};

const exception = (g: Generator): void => {
  g.code.movK(1, g.random.below(2));
  if (call(g, 'bpf_throw', null)) g.scope.isEnded = true;
};

/** A lock in a map value; nothing may be called while it is held. */
const locked = (g: Generator): void => {
  const { code, random } = g;
  const map = g.map('locked');
  g.saveCallerRegisters();
  g.stackPointer(2, g.stackData(4));
  g.loadMap(1, map);
  code.callHelper(1);
  g.scope.called(null);
  const value: Kind = { kind: 'memory', size: map.def.valueSize, off: 4, writable: true, map: map.index };
  whenNotNull(g, { kind: 'opaque' }, () => {
    const keeper = g.keeper();
    if (keeper === null) return;
    code.movX(keeper, 0);
    code.movX(1, 0);
    g.scope.regs[keeper] = { kind: 'opaque' };
    code.callHelper(93);
    g.scope.called(null);
    g.pinning(keeper, () =>
      g.within({ locked: !g.wrong(), owes: true }, () => {
        const inside = g.targetBeside(keeper);
        code.movX(inside, keeper);
        code.aluK(0x00, inside, 4);
        g.scope.regs[inside] = { ...value, size: value.size - 4, off: 0 };
        g.body(random.between(1, 6));
      }),
    );
    if (g.scope.isEnded || g.wrong()) return;
    code.movX(1, keeper);
    code.callHelper(94);
    g.scope.called(null);
  });
};

const free = (g: Generator): boolean => !g.around.locked;

const mayCall = (g: Generator, name: string): boolean =>
  g.wrongMoreOften(3) || g.kernel.callees.of(g.section).some((callee) => callee.name === name);

/** Tracing programs and socket filters may not hold locks (check_map_prog_compatibility). */
const mayLock = (g: Generator): boolean =>
  g.wrong() || !(isTracing(g.section.progType.name) || g.section.progType.name === 'socket_filter');

export const KFUNC_STEPS: readonly Step[] = [
  { name: 'iterator over numbers', feature: 'iterator', weight: 1, ready: (g) => free(g) && g.around.nesting < 3, emit: numbers },
  { name: 'section', feature: 'kfunc', weight: 2, ready: free, emit: section },
  { name: 'interrupts', feature: 'kfunc', weight: 0.7, ready: free, emit: interrupts },
  { name: 'task', feature: 'kfunc', weight: 1, ready: (g) => free(g) && mayCall(g, 'bpf_task_acquire'), emit: task },
  { name: 'cpumask', feature: 'kfunc', weight: 1, ready: (g) => free(g) && mayCall(g, 'bpf_cpumask_create'), emit: cpumask },
  {
    name: 'exception',
    feature: 'kfunc',
    weight: 0.3,
    ready: (g) => free(g) && (!g.around.owes || g.wrongMoreOften(5)) && g.around.nesting > 0,
    emit: exception,
  },
  { name: 'kernel struct', feature: 'btf', weight: 1, emit: kernelStruct },
  { name: 'lock', feature: 'lock', weight: 1, ready: (g) => free(g) && mayLock(g), emit: locked },
];
