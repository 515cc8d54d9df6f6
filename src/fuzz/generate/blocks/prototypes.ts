import type { Wanted } from '../callees.ts';
import type { Generator, Step } from '../generator.ts';
import type { Kind } from '../scope.ts';
import { scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { gather, newGathering, otherKind } from '../things/gather.ts';
import { mayAdd, plan } from './functions.ts';

/** Functions with any prototype, called with what it asks for or with something else, and functions that catch exceptions. */

interface Parameter {
  readonly declared: string;
  readonly wanted: Wanted;
}

const POINTERS: readonly Parameter[] = [
  { declared: 'unsigned long long *', wanted: { kind: 'data' } },
  { declared: 'int *', wanted: { kind: 'data' } },
  { declared: 'const void *', wanted: { kind: 'data' } },
  { declared: 'struct task_struct *', wanted: { kind: 'struct', struct: 'task_struct' } },
  { declared: 'struct cgroup *', wanted: { kind: 'struct', struct: 'cgroup' } },
  { declared: 'struct bpf_dynptr *', wanted: { kind: 'dynptr' } },
  { declared: 'struct pair *', wanted: { kind: 'data' } },
  { declared: 'struct nothing *', wanted: { kind: 'data' } },
  { declared: 'struct __sk_buff *', wanted: { kind: 'ctx' } },
  { declared: 'struct bpf_cpumask *', wanted: { kind: 'struct', struct: 'bpf_cpumask' } },
  { declared: 'int **', wanted: { kind: 'data' } },
];
const OTHERS: readonly Parameter[] = [
  { declared: 'int ', wanted: { kind: 'number' } },
  { declared: 'unsigned long long ', wanted: { kind: 'number' } },
  { declared: 'double ', wanted: { kind: 'number' } },
  { declared: 'struct pair ', wanted: { kind: 'number' } },
];
const TAGS = ['nonnull', 'nullable', 'trusted', 'untrusted', 'ctx', 'arena', 'unheard_of'] as const;
const RESULTS = ['void', 'long', 'char *', 'struct pair', 'unsigned char'] as const;
const MOST = 5;

const tagged = (tag: string): string => ` __attribute__((btf_decl_tag("arg:${tag}")))`;

/** A parameter, with tags or without, and what its argument should be. */
const parameter = (g: Generator, name: string, mayTag: boolean): Parameter => {
  const { random } = g;
  const isPointer = random.chance(0.85);
  const one = isPointer ? random.pick(random.chance(0.6) ? POINTERS.slice(0, 6) : POINTERS) : random.pick(OTHERS);
  const count = !mayTag || (!isPointer && !g.wrongMoreOften(20)) ? 0 : random.pick([0, 0, 1, 1, 1, 2]);
  let tags = '';
  let wanted = one.wanted;
  for (let i = 0; i < count; i++) {
    // a tag that suits what the pointer leads to
    const isStruct = one.wanted.kind === 'struct';
    const tag = g.wrongMoreOften(25)
      ? random.pick(TAGS)
      : isStruct
        ? random.pick(['trusted', 'untrusted'])
        : random.pick(['nonnull', 'arena']);
    tags += tagged(tag);
    if (tag === 'arena') wanted = { kind: 'arena' };
    if (tag === 'ctx') wanted = { kind: 'ctx' };
  }
  return { declared: `${one.declared}${name}${tags}`, wanted };
};

const anyFunction = (g: Generator): void => {
  const { code, random } = g;
  if (!mayAdd(g)) return;
  const isStatic = random.chance(0.15);
  const count = g.wrongMoreOften(4) ? MOST + 1 : random.between(1, 3);
  const params = Array.from({ length: count }, (_, i) => parameter(g, `a${i}`, !isStatic || g.wrongMoreOften(15)));
  const wanted = params.map((one) => (g.wrongMoreOften(20) ? otherKind(g, one.wanted) : one.wanted)).slice(0, MOST);
  const result = g.wrongMoreOften(10) ? random.pick(RESULTS) : 'int';
  const inside: (Kind | null)[] = params
    .slice(0, MOST)
    .map(({ wanted: { kind } }) => (kind === 'number' ? UNKNOWN_SCALAR : { kind: 'opaque' }));
  const leaves = g.wrongMoreOften(10);
  const begin = (): void => {
    if (!leaves) return;
    // a load that may end the program, or a tail call
    if (random.chance(0.5)) {
      code.movX(6, 1);
      code.raw(0x20, 0, 0, 0, 0);
    } else {
      g.loadMap(2, g.map('programs'));
      code.movK(3, 0);
      code.callHelper(12);
    }
    g.scope.called(UNKNOWN_SCALAR);
  };
  g.saveCallerRegisters();
  gather(g, wanted, newGathering(), (puts) => {
    const prototype = `${result} NAME(${params.map(({ declared }) => declared).join(', ')})`;
    const func = plan(g, {
      role: isStatic ? 'static' : 'global',
      params: inside,
      prototype,
      maxResult: Number.POSITIVE_INFINITY,
      begin,
    });
    for (const [i, put] of puts.entries()) put(i + 1);
    code.callFunction(func.label);
    g.scope.called(UNKNOWN_SCALAR);
  });
};

/** A function that is called when the program throws; most of them are declared as they should be. */
const catcher = (g: Generator): void => {
  const { random } = g;
  const params: (Kind | null)[] = [UNKNOWN_SCALAR];
  const declared = g.wrongMoreOften(10)
    ? random.pick(['void', 'int *a', 'unsigned long long a, int b'])
    : 'unsigned long long cookie';
  const leaves = g.wrongMoreOften(10);
  const begin = (): void => {
    if (!leaves) return;
    g.loadMap(2, g.map('programs'));
    g.code.movK(3, 0);
    g.code.callHelper(12);
    g.scope.called(UNKNOWN_SCALAR);
  };
  const func = plan(g, {
    role: g.wrongMoreOften(8) ? 'static' : 'global',
    params,
    prototype: `int NAME(${declared})`,
    maxResult: 0,
    begin,
  });
  g.catcher = g.wrongMoreOften(8) ? 'nobody' : func.name;
  g.code.movK(0, 0);
  g.scope.regs[0] = scalarUpTo(0);
  if (!random.chance(0.5)) return;
  const over = g.code.label();
  const [condition] = g.having('scalar').filter((reg) => reg > 5);
  if (condition !== undefined) g.code.jumpK(0x10, condition, 3, over);
  g.code.movX(1, 0);
  g.code.callKfunc(g.kernel.kfunc('bpf_throw'));
  g.code.place(over);
  if (condition === undefined) g.scope.isEnded = true;
  else g.scope.called(null);
};

/** Instructions that arguments take, about. */
const ROOM = 10;
const free = (g: Generator): boolean => !g.around.locked && g.room > ROOM;

export const PROTOTYPE_STEPS: readonly Step[] = [
  { name: 'function of any kind', feature: 'subprogram', weight: 1.2, ready: free, emit: anyFunction },
  {
    name: 'catcher',
    feature: 'call',
    weight: 0.5,
    ready: (g) => free(g) && !g.around.owes && g.catcher === null && g.depth === 0 && mayAdd(g),
    emit: catcher,
  },
];
