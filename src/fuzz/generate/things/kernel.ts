import { BPF_JEQ } from '../../../isa/constants.ts';
import type { Callee } from '../callees.ts';
import type { Generator } from '../generator.ts';
import { anyNumber, callKfunc, fromCall, given, type Put, parked, type Source, type Use } from './lend.ts';

/** Things of the kernel: its structs, sockets and variables. */

const CURRENT_TASK = 158;

/** A pointer to a kernel struct: a reference, the current process, an argument of the program, or what is only said to be one. */
export const struct: Source = (g, wanted, _, use) => {
  const { code, random } = g;
  const name = wanted.struct ?? 'task_struct';
  const makers = g.kernel.callees.makers(name);
  const [ctx] = g.having('ctx').filter((reg) => reg > 5);
  if (g.section.progType.contextKind === 'btf-args' && ctx !== undefined && random.chance(0.3)) {
    code.load(8, 0, ctx, 8 * random.below(4));
    return parked(g, 0, use);
  }
  if (name === 'task_struct' && random.chance(0.6)) {
    code.callHelper(CURRENT_TASK);
    g.scope.called(null);
    return parked(g, 0, use);
  }
  if (makers.length > 0 && random.chance(0.8)) {
    const maker = random.pick(makers);
    const releaser = g.kernel.callees.releaser(name);
    const call = (): void => {
      for (let i = 1; i <= maker.wanted.length; i++) code.movK(i, random.below(3));
      code.callKfunc(maker.id);
    };
    return fromCall(g, call, use, releaser === null ? null : (put) => giveBack(g, releaser, put));
  }
  if (random.chance(0.5)) return dereferenced(g, name, use);
  const id = g.kernel.profile.btf.findByName(name, 'STRUCT')?.id ?? 0;
  anyNumber(g)(1);
  code.movK(2, id);
  if (!callKfunc(g, 'bpf_rdonly_cast')) return use(given(g, 0));
  return parked(g, 0, use);
};

/** A pointer of the wanted type that the current process leads to; some other one where none does. */
const dereferenced = (g: Generator, name: string, use: Use): void => {
  const { code, random } = g;
  const { btf } = g.kernel.profile;
  const task = btf.findByName('task_struct', 'STRUCT');
  const pointers = (task?.members ?? []).filter(({ type }) => btf.skipModifiers(type).kind === 'PTR');
  if (pointers.length === 0) return use(given(g, 0));
  const fitting = pointers.filter(({ type }) => btf.resolvePtr(btf.skipModifiers(type).id)?.name === name);
  const chosen = random.pick(fitting.length > 0 ? fitting : pointers);
  code.callHelper(CURRENT_TASK);
  g.scope.called(null);
  code.load(8, 0, 0, Math.floor(chosen.bitOffset / 8));
  parked(g, 0, use);
};

export const giveBack = (g: Generator, releaser: Callee, put: Put): void => {
  put(1);
  g.code.callKfunc(releaser.id);
  g.scope.called(null);
};

const SOCKET_LOOKUPS = [84, 85, 99] as const;
const SK_RELEASE = 86;

export const socket: Source = (g, wanted, gathering, use) => {
  const { code, random } = g;
  const [ctx] = g.having('ctx').filter((reg) => reg > 5);
  const field = g.section.readable.find(({ reg }) => reg?.base.includes('SOCK'));
  if (ctx !== undefined && field !== undefined && random.chance(0.5)) {
    code.load(8, 0, ctx, field.off);
    const end = code.label();
    if (random.chance(0.8)) code.jumpK(BPF_JEQ, 0, 0, end);
    parked(g, 0, use);
    code.place(end);
    return;
  }
  if (ctx !== undefined && g.section.packet !== null) {
    const call = (): void => {
      const tuple = g.stackData(12);
      code.movX(1, ctx);
      g.stackPointer(2, tuple);
      code.movK(3, 12);
      code.movK(4, -1);
      code.movK(5, 0);
      code.callHelper(random.pick(SOCKET_LOOKUPS));
    };
    return fromCall(g, call, use, (put) => {
      put(1);
      code.callHelper(SK_RELEASE);
      g.scope.called(null);
    });
  }
  return struct(g, { ...wanted, struct: wanted.struct ?? 'sock' }, gathering, use);
};
/** The address of a variable of the kernel that every processor has its own of. */
export const percpu: Source = (g, _, __, use) => {
  const { btf } = g.kernel.profile;
  const variables = g.kernel.percpuVariables;
  const other = g.random.chance(0.3) ? g.random.below(btf.count) : (btf.findByName('init_task', 'VAR')?.id ?? 0);
  if (variables.length === 0) return use(given(g, 0));
  const id = g.wrongMoreOften(5) ? other : g.random.pick(variables);
  use((reg) => g.code.wide(reg, 3, id, 0));
};
