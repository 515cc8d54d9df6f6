import { PROG_TYPES } from '../../contracts/uapi_numbers.ts';
import type { Program } from '../../program/program.ts';
import { DEFAULT_DIALS, type Dials, type Feature } from '../dials.ts';
import { anyFunctionSection, mutateAttach } from '../mutate_attach.ts';
import { mutateEncoding } from '../mutate_encoding.ts';
import { mutateFrame } from '../mutate_frame.ts';
import { mutateTypes } from '../mutate_types.ts';
import { Random } from '../random.ts';
import { writeFunctions } from './blocks/functions.ts';
import { STEPS } from './blocks/index.ts';
import { Generator } from './generator.ts';
import type { FuzzKernel } from './kernel.ts';

/** Steps of programs that whoever has no capabilities may load. */
const UNTRUSTED: readonly Feature[] = ['alu', 'pointer', 'branch', 'stack', 'context', 'map', 'leak'];
const UNTRUSTED_TYPES: ReadonlySet<number> = new Set([PROG_TYPES.socket_filter, PROG_TYPES.cgroup_skb]);
/** One program in so many that could be loaded without capabilities is made of what needs none. */
const PLAIN = 2;
/** What other programs are attached to: accepted, mostly, and with a context that has a name. */
const SMALL = {
  size: 10,
  functions: 2,
  wrong: 0,
  sections: ['xdp', 'tc', 'socket', 'cgroup_skb/egress', 'fentry/vfs_read'],
} as const;

const SMALL_SIZE = 20;
const SMALL_FEATURES: Dials['features'] = { ...DEFAULT_DIALS.features, call: 0, leak: 0, limit: 0 };

const plainFeatures = (features: Dials['features']): Dials['features'] =>
  Object.fromEntries(UNTRUSTED.map((feature) => [feature, feature === 'leak' ? 4 : (features[feature] ?? 0)]));

/** Programs that are given structs of the kernel look at them more often. */
const tracingFeatures = (features: Dials['features']): Dials['features'] => ({ ...features, btf: 4 * (features.btf ?? 0) });

const write = (kernel: FuzzKernel, random: Random, dials: Dials): Program => {
  const section = random.pick(dials.sections);
  const isPlain =
    (dials.features.leak ?? 0) > 0 && UNTRUSTED_TYPES.has(kernel.section(section).kind.type) && random.below(PLAIN) === 0;
  const { contextKind } = kernel.section(section).progType;
  const features = isPlain
    ? plainFeatures(dials.features)
    : contextKind === 'btf-args'
      ? tracingFeatures(dials.features)
      : dials.features;
  const chosen = { ...dials, features };
  const g = new Generator(random, chosen, kernel, STEPS, section);
  g.scope.regs[1] = { kind: 'ctx' };
  if (random.chance(0.7)) {
    g.code.movX(6, 1);
    g.scope.regs[6] = { kind: 'ctx' };
  }
  g.body(Math.max(2, Math.floor(g.room * 0.8)));
  if (!g.scope.isEnded) g.exit();
  writeFunctions(g);
  let flags = 0;
  for (const [flag, probability] of Object.entries(dials.testFlags)) if (random.chance(probability)) flags |= Number(flag);
  return g.finish('prog', flags);
};

/** The program with something wrong that is not in a step: its types, what it attaches to, what stands around it, an encoding. */
const wrongAsAWhole = (kernel: FuzzKernel, random: Random, dials: Dials, program: Program): Program => {
  const another = (): Program => write(kernel, random, { ...dials, ...SMALL });
  switch (random.below(8)) {
    case 0:
    case 1:
      return mutateTypes(random, program, kernel);
    case 2:
    case 3:
      return mutateAttach(random, program, kernel, another);
    case 4: {
      const section = anyFunctionSection(random, kernel);
      return kernel.sectionOrNull(section) === null ? program : write(kernel, random, { ...dials, sections: [section] });
    }
    case 5:
      return mutateFrame(random, program, kernel);
    default:
      return mutateEncoding(random, program, kernel);
  }
};

/**
 * The program of a seed: structured, mostly valid, and the same for the same dials and kernel. `changes` are dials that differ
 * from the usual ones.
 */
export function generateProgram(kernel: FuzzKernel, seed: number, changes: Partial<Dials> = {}): Program {
  // what takes many instructions has no place in small programs, unless it is asked for
  const isSmall = (changes.size ?? DEFAULT_DIALS.size) < SMALL_SIZE && changes.features === undefined;
  const dials: Dials = { ...DEFAULT_DIALS, ...changes, ...(isSmall ? { features: SMALL_FEATURES } : {}) };
  const random = new Random(seed);
  const program = write(kernel, random, dials);
  const isChosen = changes.sections !== undefined || changes.features !== undefined || dials.wrong === 0;
  const whole = changes.whole ?? (isChosen || isSmall ? 0 : dials.whole);
  return random.chance(whole) ? wrongAsAWhole(kernel, random, dials, program) : program;
}
