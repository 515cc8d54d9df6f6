import { BPF_ADD, BPF_JEQ, BPF_JNE, BPF_SUB } from '../../../isa/constants.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { scalarUpTo } from '../scope.ts';

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

export const UNCHECKED_STEPS: readonly Step[] = [
  {
    name: 'moved before the check',
    feature: 'map',
    weight: 0.5,
    ready: (g) => !g.around.locked && g.wrongMoreOften(4),
    emit: movedBeforeCheck,
  },
];
