import type { Generator, Step } from '../generator.ts';
import { type Kind, scalarUpTo, UNKNOWN_SCALAR } from '../scope.ts';

const BUFFER_REACH = 128;

const contextRegister = (g: Generator): number | null => {
  const found = g.having('ctx');
  return found.length === 0 ? null : g.random.pick(found);
};

const kindOfField = (reg: string | undefined): Kind => {
  if (reg === undefined || reg === 'SCALAR_VALUE') return UNKNOWN_SCALAR;
  if (reg === 'PTR_TO_PACKET' || reg === 'PTR_TO_PACKET_META') return { kind: 'packet', size: 0 };
  return reg === 'PTR_TO_PACKET_END' ? { kind: 'packet-end' } : { kind: 'opaque' };
};

/** A place in a context without fields that may be read; null where there is none, or none was found. */
const slotOf = (g: Generator): { off: number; size: number } | null => {
  const { random } = g;
  const { progType, subject } = g.section;
  const size = progType.contextKind === 'buffer' ? random.pick([1, 2, 4, 8]) : 8;
  if (g.wrong()) return { off: size * random.below(BUFFER_REACH), size };
  if (progType.contextKind === 'btf-args') {
    const args = g.kernel.argumentsOf(g.section).length;
    return args === 0 ? null : { off: size * random.below(args), size };
  }
  for (let tries = 0; tries < 4; tries++) {
    const off = size * random.below(4);
    if (progType.access({ off, size, write: false, signExtend: false }, subject) !== null) return { off, size };
  }
  return null;
};

const readField = (g: Generator): void => {
  const { code, random, scope } = g;
  const ctx = contextRegister(g);
  if (ctx === null) return;
  const dst = g.target();
  const { readable } = g.section;
  if (readable.length === 0) {
    const place = slotOf(g);
    if (place === null) return;
    const { off, size } = place;
    code.load(size, dst, ctx, off);
    scope.regs[dst] = g.section.progType.contextKind === 'btf-args' ? { kind: 'opaque' } : UNKNOWN_SCALAR;
    return;
  }
  const field = random.pick(readable);
  const size = random.chance(0.8) ? Math.max(...field.read!.sizes) : random.pick(field.read!.sizes);
  const inside =
    field.read!.atStart === true || random.chance(0.8) ? 0 : size * random.below(Math.max(1, Math.floor(field.size / size)));
  const off = field.off + inside;
  if (g.wrong()) {
    code.load(random.pick([1, 2, 4, 8]), dst, ctx, off + random.pick([0, 1, 2, 4]));
    scope.regs[dst] = UNKNOWN_SCALAR;
    return;
  }
  code.load(size, dst, ctx, off);
  const kind = kindOfField(field.reg?.base);
  scope.regs[dst] = kind.kind === 'scalar' && size < 8 ? scalarUpTo(2 ** (8 * size) - 1) : kind;
};

const writeField = (g: Generator): void => {
  const { code, random } = g;
  const ctx = contextRegister(g);
  if (ctx === null) return;
  const field = random.pick(g.section.writable);
  const size = random.pick(field.write!.sizes);
  if (random.chance(0.5)) code.storeImm(size, ctx, field.off, random.immediate());
  else code.store(size, ctx, field.off, g.scalarBeside(ctx));
};

/** Packet bytes of old: absolute and indirect loads of socket filters. */
const legacyLoad = (g: Generator): void => {
  const { code, random, scope } = g;
  const [ctx] = g.having('ctx');
  if (ctx === undefined) return;
  if (ctx !== 6 && !g.wrongMoreOften(4)) {
    if (scope.isPinned(6)) return;
    code.movX(6, ctx);
    scope.regs[6] = { kind: 'ctx' };
  }
  const size = random.pick([0x00, 0x08, 0x10]);
  if (random.chance(0.5)) code.raw(0x20 | size, 0, 0, 0, random.immediate());
  else code.raw(0x40 | size, 0, g.scalar(), 0, random.below(64));
  scope.called(UNKNOWN_SCALAR);
};

export const CONTEXT_STEPS: readonly Step[] = [
  { name: 'read context', feature: 'context', weight: 5, ready: (g) => g.having('ctx').length > 0, emit: readField },
  {
    name: 'write context',
    feature: 'context',
    weight: 1,
    ready: (g) => g.section.writable.length > 0 && g.having('ctx').length > 0,
    emit: writeField,
  },
  {
    name: 'legacy load',
    feature: 'context',
    weight: 1,
    ready: (g) =>
      (g.section.progType.legacyPacketLoads === true || g.wrongMoreOften(2)) &&
      ((!g.around.owes && !g.around.locked && g.depth === 0) || g.wrongMoreOften(5)),
    emit: legacyLoad,
  },
];
