import { isLdImm64 } from '../../isa/opcodes.ts';
import type { MapDef, ObjectImage, Program } from '../../program/program.ts';
import { DEFAULT_DIALS, type Dials, type Feature } from '../dials.ts';
import { Random } from '../random.ts';
import type { FuzzKernel } from './kernel.ts';
import { generateProgram } from './program.ts';

/** Steps that need types of their own: an object has one BTF, and its first program describes it. */
const TYPED: readonly Feature[] = ['subprogram', 'callback', 'lock', 'call'];

const MAP_SOURCES: ReadonlySet<number> = new Set([1, 2]);

/** The program over the maps of an object: what referred to its own map refers to the same map there. */
const over = (program: Program, name: string, maps: MapDef[]): Program => {
  const insns = program.insns.map((insn, slot) => {
    if (!isLdImm64(insn) || !MAP_SOURCES.has(insn.src) || program.insns[slot - 1]?.code === insn.code) return insn;
    const def = program.maps[insn.imm]!;
    if (!maps.includes(def)) maps.push(def);
    return { ...insn, imm: maps.indexOf(def) };
  });
  return { ...program, name, insns, maps };
};

/** The object of a seed: one to four programs that share maps, and the BTF of the first. */
export function generateObject(kernel: FuzzKernel, seed: number, changes: Partial<Dials> = {}): ObjectImage {
  const random = new Random(seed);
  const first = generateProgram(kernel, random.next(), changes);
  const maps: MapDef[] = [...first.maps];
  const features = { ...DEFAULT_DIALS.features, ...changes.features };
  for (const feature of TYPED) features[feature] = 0;
  const programs: Program[] = [{ ...first, name: 'prog_0', maps }];
  for (let i = 1, count = random.between(1, 4); i < count; i++) {
    const program = generateProgram(kernel, random.next(), { ...changes, features, functions: 0 });
    programs.push(over({ ...program, btf: first.btf }, `prog_${i}`, maps));
  }
  return { name: 'object.bpf.s', programs, maps, btf: first.btf, license: first.license, expectations: new Map() };
}
