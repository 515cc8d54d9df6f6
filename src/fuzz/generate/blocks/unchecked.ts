import { BPF_ADD, BPF_JEQ, BPF_JNE, BPF_SUB } from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';
import { bound } from './alu.ts';
import { mayAdd, plan } from './functions.ts';
import { accessPacket, adjust } from './packet.ts';
import { tailCall } from './references.ts';

/** What a lookup gives is moved before it is compared with NULL, and used behind that: a verifier must refuse the move. */
const movedBeforeCheck = (g: Generator): void => {
  const { code, random, scope } = g;
  const map = g.map('values');
  const key = g.stackData(map.def.keySize);
  g.saveCallerRegisters();
  g.stackPointer(2, key);
  g.loadMap(1, map);
  code.callHelper(1);
  scope.called(scalarUpTo(0));
  const pointer = g.targetBeside(0);
  const moved = random.chance(0.5) ? pointer : 0;
  if (moved !== 0) code.movX(moved, 0);
  const step = random.pick([1, 4, 8, -8]);
  if (random.chance(0.7)) code.aluK(random.pick([BPF_ADD, BPF_SUB]), moved, step);
  else {
    const number = g.targetBeside(moved, 0);
    code.movK(number, step);
    scope.regs[number] = scalarUpTo(Math.abs(step));
    code.aluX(BPF_ADD, moved, number);
  }
  const out = code.label();
  const isNull = code.label();
  const isEqual = random.chance(0.5);
  code.jumpK(isEqual ? BPF_JEQ : BPF_JNE, moved, 0, isEqual ? out : isNull);
  if (!isEqual) {
    code.goto(out);
    code.place(isNull);
  }
  if (random.chance(0.5)) code.load(1, moved, moved, 0);
  else code.store(8, FP, g.stackSpace(8), moved);
  code.place(out);
  code.movK(moved, 0);
  scope.regs[moved] = scalarUpTo(0);
  scope.regs[0] = scalarUpTo(0);
};

/** A global function, which the verifier does not look into at the call, moves the packet; pointers into it may be used on. */
const movedByFunction = (g: Generator): void => {
  const { code, scope } = g;
  const [ctx] = g.having('ctx');
  const context = g.section.progType.contextStruct;
  if (ctx === undefined || context === null || !mayAdd(g)) return;
  g.saveCallerRegisters();
  if (ctx !== 1) code.movX(1, ctx);
  const func = plan(g, {
    role: 'global',
    params: [{ kind: 'ctx' }],
    prototype: `int NAME(struct ${context} *a1)`,
    maxResult: Number.POSITIVE_INFINITY,
    begin: () => adjust(g),
  });
  code.callFunction(func.label);
  scope.called(UNKNOWN_SCALAR);
  if (g.wrongMoreOften(10)) for (const reg of g.having('packet')) accessPacket(g, reg);
  scope.dropPackets();
};

/** A packet pointer is moved behind its check, by a number that it does not count with, and used as far as it was found good. */
const movedBehindCheck = (g: Generator): void => {
  const { code, random, scope } = g;
  const from = random.pick(g.having('packet'));
  const kind = g.kindOf(from, 'packet')!;
  const pointer = g.targetBeside(from);
  const number = g.unknown(g.targetBeside(from, pointer));
  if (g.kindOf(from, 'packet') === null || [from, pointer].includes(number)) return;
  bound(g, number, random.pick([1, 3, 7, 15, 63]));
  code.movX(pointer, from);
  code.aluX(BPF_ADD, pointer, number);
  scope.regs[pointer] = kind;
  accessPacket(g, pointer);
  scope.regs[pointer] = null;
};

/** A function that may leave by a tail call: what it returns is then the other program's. */
const leavesByTailCall = (g: Generator): void => {
  const { code, scope } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined || !mayAdd(g)) return;
  g.saveCallerRegisters();
  if (ctx !== 1) code.movX(1, ctx);
  const func = plan(g, {
    role: 'static',
    params: [{ kind: 'ctx' }],
    prototype: 'int NAME(void *a1)',
    maxResult: 1,
    begin: () => tailCall(g),
  });
  code.callFunction(func.label);
  scope.called(UNKNOWN_SCALAR);
};

const hasPacketKept = (g: Generator): boolean => !g.around.locked && g.having('packet').some((reg) => reg > 5);

export const UNCHECKED_STEPS: readonly Step[] = [
  {
    name: 'moved before the check',
    feature: 'map',
    weight: 0.5,
    ready: (g) => !g.around.locked && g.wrongMoreOften(4),
    emit: movedBeforeCheck,
  },
  {
    name: 'function with a tail call',
    feature: 'tail-call',
    weight: 0.3,
    ready: (g) => !g.around.locked && !g.around.owes,
    emit: leavesByTailCall,
  },
  {
    name: 'moved behind the check',
    feature: 'unchecked',
    weight: 1,
    ready: (g) => !g.around.locked && g.having('packet').some((reg) => g.kindOf(reg, 'packet')!.size > 0),
    emit: movedBehindCheck,
  },
  { name: 'packet moved by a function', feature: 'packet', weight: 0.4, ready: hasPacketKept, emit: movedByFunction },
];
