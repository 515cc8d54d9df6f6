import { BPF_JEQ } from '../../../isa/constants.ts';
import type { MapDef } from '../../../program/program.ts';
import { FP, type Generator, type Step } from '../generator.ts';
import { PALETTE } from '../palette.ts';
import { Scope, UNKNOWN_SCALAR } from '../scope.ts';
import { gather, newGathering } from '../things/gather.ts';
import { plan, timer } from './functions.ts';

/** Much of one thing: as much as Linux takes, a little less or a little more. */

/** BPF_COMPLEXITY_LIMIT_JMP_SEQ */
const PENDING_JUMPS = 8192;
/** MAX_USED_MAPS */
const USED_MAPS = 64;
/** MAX_KFUNC_DESCS and BPF_MAX_SUBPROGS */
const CALLEES = 256;
/** MAX_CALL_FRAMES */
const FRAMES = 8;

/** Jumps that all wait for their other way to be followed. */
const jumps = (g: Generator): void => {
  const { code, random } = g;
  code.callHelper(g.kernel.helper('bpf_get_prandom_u32'));
  const keeper = g.keeper() ?? 9;
  code.movX(keeper, 0);
  g.scope.called(UNKNOWN_SCALAR);
  const end = code.label();
  const count = PENDING_JUMPS + random.between(-6, 2);
  for (let i = 0; i < count; i++) code.jumpK(BPF_JEQ, keeper, i, end);
  g.scope.regs[keeper] = UNKNOWN_SCALAR;
  if (random.chance(0.7)) random.chance(0.5) ? timer(g) : workQueue(g);
  code.place(end);
  const after = new Scope();
  g.scope = after;
};

/** Gives a work queue its function. */
const workQueue = (g: Generator): void => {
  const callee = g.kernel.callees.named('bpf_wq_set_callback_impl');
  if (callee === null) return;
  gather(g, callee.wanted, newGathering(), (puts) => {
    for (const [i, put] of puts.entries()) put(i + 1);
    g.code.callKfunc(callee.id);
  });
};

const manyMaps: MapDef[] = [];

const maps = (g: Generator): void => {
  const [first] = PALETTE;
  const def = first!.make();
  for (let i = manyMaps.length; i < USED_MAPS + 2; i++) manyMaps.push({ ...def, name: `array_${i}` });
  const count = USED_MAPS + g.random.between(-1, 1);
  const reg = g.target();
  for (const map of manyMaps.slice(0, count)) g.loadMap(reg, g.addMap(map));
};

/** Two maps of one type, of which a program may hold only one in some cases. */
const twoMaps = (g: Generator): void => {
  const { random } = g;
  const all = PALETTE.map(({ make }) => make());
  const types = [...new Set(all.map(({ type }) => type))].filter((type) => all.filter((def) => def.type === type).length > 1);
  const type = random.pick(types);
  const reg = g.target();
  for (const def of all.filter((one) => one.type === type).slice(0, 2)) g.loadMap(reg, g.addMap(def));
};

/** Calls of as many different functions of the kernel, in code that is not reached. */
const kfuncs = (g: Generator): void => {
  const { code, random, kernel } = g;
  const { btf } = kernel.profile;
  const ids = kernel.callees.kfuncs.filter(({ roles }) => !roles.includes('device_bound')).map(({ id }) => id);
  for (let id = btf.count - 1; ids.length < CALLEES + 40 && id > 0; id--) {
    if (btf.kindOf(id) === 'FUNC' && !ids.includes(id)) ids.push(id);
  }
  const count = random.pick([ids.length, CALLEES]);
  for (let i = 0; i < count; i++) code.callKfunc(ids[i]!);
};

/** Functions that do nothing, each called once. */
const functions = (g: Generator): void => {
  const { code, random } = g;
  const count = CALLEES + random.between(-1, 1);
  for (let i = 0; i < count; i++) {
    const func = plan(g, { role: 'static', params: [], prototype: 'int NAME(void)', maxResult: 0, begin: () => g.exit() });
    code.callFunction(func.label);
  }
  g.scope.called(UNKNOWN_SCALAR);
};

/** Functions that call each other, as deep as it goes; each uses some stack. */
const chain = (g: Generator): void => {
  const { random } = g;
  const role = random.chance(0.6) ? 'static' : 'global';
  const depth = FRAMES + random.between(-3, 1);
  const bytes = random.pick([8, 8, 32, 64, 128, 256]);
  const call = (left: number): void => {
    const begin = (): void => {
      g.code.storeImm(8, FP, -bytes, 0);
      if (left > 0) call(left - 1);
      g.exit();
    };
    const func = plan(g, { role, params: [], prototype: 'int NAME(void)', maxResult: Number.POSITIVE_INFINITY, begin });
    g.code.callFunction(func.label);
    g.scope.called(UNKNOWN_SCALAR);
  };
  call(depth);
};

/** Small programs are to stay small. */
const SMALL = 20;
const isLarge = (g: Generator): boolean => g.dials.size > SMALL && !g.around.locked;
const mayDescribe = (g: Generator): boolean => isLarge(g) && g.dials.functions > 0 && !g.around.owes;

export const LIMIT_STEPS: readonly Step[] = [
  { name: 'jumps', feature: 'limit', weight: 0.1, ready: (g) => mayDescribe(g) && g.depth === 0, emit: jumps },
  { name: 'maps', feature: 'limit', weight: 0.2, ready: isLarge, emit: maps },
  { name: 'two maps', feature: 'limit', weight: 1, ready: isLarge, emit: twoMaps },
  { name: 'kfuncs', feature: 'limit', weight: 0.2, ready: isLarge, emit: kfuncs },
  { name: 'functions', feature: 'limit', weight: 0.2, ready: mayDescribe, emit: functions },
  { name: 'chain', feature: 'limit', weight: 2, ready: mayDescribe, emit: chain },
];
