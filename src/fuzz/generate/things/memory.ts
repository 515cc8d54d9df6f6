import { BPF_ADD } from '../../../isa/constants.ts';
import { UNKNOWN_SCALAR } from '../scope.ts';
import { callKfunc, fromCall, given, type Source } from './lend.ts';

/** Memory: records, dynptrs and flags on the stack, strings, the arena, data. */

const RESERVE = 131;
const DISCARD = 133;
const DYNPTR_FROM_MEM = 197;
const DYNPTR_RESERVE = 198;
const DYNPTR_DISCARD = 200;
export const DYNPTR_BYTES = 16;

export const record: Source = (g, _, __, use) => {
  const { code } = g;
  fromCall(
    g,
    () => {
      g.loadMap(1, g.map('ring'));
      code.movK(2, 16);
      code.movK(3, 0);
      code.callHelper(RESERVE);
    },
    use,
    (put) => {
      put(1);
      code.movK(2, 0);
      code.callHelper(DISCARD);
      g.scope.called(null);
    },
  );
};

export const dynptr: Source = (g, _, __, use) => {
  const { code, random } = g;
  const at = g.stackSpace(DYNPTR_BYTES);
  const [ctx] = g.having('ctx').filter((reg) => reg > 5);
  g.saveCallerRegisters();
  const isRecord = random.chance(0.4);
  const maker = g.section.progType.name === 'xdp' ? 'bpf_dynptr_from_xdp' : 'bpf_dynptr_from_skb';
  if (isRecord) {
    g.loadMap(1, g.map('ring'));
    code.movK(2, 32);
    code.movK(3, 0);
    g.stackPointer(4, at);
    code.callHelper(DYNPTR_RESERVE);
  } else if (g.section.packet !== null && ctx !== undefined && random.chance(0.6)) {
    code.movX(1, ctx);
    code.movK(2, 0);
    g.stackPointer(3, at);
    callKfunc(g, maker);
  } else {
    const map = g.directMap();
    if (map.def.frozen && !g.wrongMoreOften(5)) return use(given(g, 0));
    code.wide(1, 2, map.index, 0);
    code.movK(2, 8);
    code.movK(3, 0);
    g.stackPointer(4, at);
    code.callHelper(DYNPTR_FROM_MEM);
  }
  g.scope.called(UNKNOWN_SCALAR);
  g.scope.reserve(at, DYNPTR_BYTES);
  const shift = g.wrongMoreOften(5) ? random.pick([-8, 4, 8]) : 0;
  g.within({ owes: isRecord || g.around.owes }, () => use((reg) => g.stackPointer(reg, at + shift)));
  if (g.scope.isEnded) return;
  if (isRecord && !g.wrong()) {
    g.stackPointer(1, at);
    code.movK(2, 0);
    code.callHelper(DYNPTR_DISCARD);
    g.scope.called(null);
  }
  g.scope.release(at, DYNPTR_BYTES);
};

/** Stack bytes that a call makes something of. */
export const fresh =
  (bytes: number): Source =>
  (g, _, __, use) => {
    const at = g.stackSpace(bytes);
    g.scope.reserve(at, bytes);
    use((reg) => g.stackPointer(reg, at));
    if (!g.scope.isEnded) g.scope.release(at, bytes);
  };
export const irqFlag: Source = (g, _, __, use) => {
  const at = g.stackSpace(8);
  g.scope.reserve(at, 8);
  g.stackPointer(1, at);
  callKfunc(g, 'bpf_local_irq_save');
  g.within({ owes: true }, () => use((reg) => g.stackPointer(reg, at)));
  if (!g.scope.isEnded) g.scope.release(at, 8);
};

const STRING_PLACES = [0, 3, 9, 19, 25, 34] as const;

export const string: Source = (g, _, __, use) => {
  const { random } = g;
  const map = g.map(g.wrongMoreOften(10) ? random.pick(['values', 'constants'] as const) : 'strings');
  const off = g.wrongMoreOften(10) ? random.below(map.def.valueSize) : random.pick(STRING_PLACES) % map.def.valueSize;
  use((reg) => {
    if (map.def.maxEntries === 1) g.code.wide(reg, 2, map.index, off);
    else g.loadMap(reg, map);
    if (g.wrongMoreOften(5) && g.having('scalar').some((other) => other > 5)) {
      const index = g.having('scalar').find((other) => other > 5)!;
      g.code.aluK(0x50, index, 7);
      g.code.aluX(BPF_ADD, reg, index);
    }
  });
};
export const arena: Source = (g, _, __, use) => {
  const map = g.map('arena');
  use((reg) => {
    g.loadMap(reg, map);
    g.code.movK(reg, g.random.below(4096));
    if (g.random.chance(0.8)) g.code.raw(0xbf, reg, reg, 1, g.wrongMoreOften(8) ? g.random.below(4) << 16 : 1);
  });
};

export const data: Source = (g, { size }, __, use) => {
  const { random } = g;
  const memory = g.having('memory').filter((reg) => reg > 5);
  const packet = g.having('packet').filter((reg) => reg > 5);
  const others = [...memory, ...packet];
  if (others.length > 0 && random.chance(0.4)) {
    const from = random.pick(others);
    return use((reg) => g.code.movX(reg, from));
  }
  const at = g.stackData(size === undefined ? random.pick([16, 24, 64]) : Math.min(64, Math.max(8, size)));
  use((reg) => g.stackPointer(reg, at));
};
