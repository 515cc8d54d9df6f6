import type { Btf } from '../../btf/btf.ts';
import { BtfBuilder } from '../../btf/builder.ts';
import { btfFromC } from '../../btf/c_parser.ts';
import type { Label } from './emitter.ts';
import { btfOfTypes } from './object_types.ts';
import type { Kind } from './scope.ts';

/**
 * `static`: called with what its caller has. `global`: verified on its own, by its C prototype. `callback`: called back by a
 * helper.
 */
export type FunctionRole = 'static' | 'global' | 'callback';

export interface PlannedFunction {
  readonly name: string;
  readonly role: FunctionRole;
  readonly label: Label;
  /** r1 to r5 on entry; for global functions what their prototype says */
  readonly params: readonly (Kind | null)[];
  /** C declaration, without `static` */
  readonly prototype: string;
  /** largest result, and what the result must be within; infinite where anything goes */
  readonly maxResult: number;
  /** calls that lead here from the main program */
  readonly depth: number;
  /** writes what the function begins with; null: nothing of its own */
  readonly begin: (() => void) | null;
}

/**
 * Structs that prototypes name. Those of the kernel are complete here: Linux remembers candidates for an argument's type by name
 * alone, so that what it says of an incomplete one depends on what was loaded before (check_cand_cache, kernel/bpf/btf.c).
 */
const STRUCTS: Readonly<Record<string, string>> = {
  pair: 'struct pair { long long first; };',
  task_struct: 'struct task_struct { int unknown; };',
  cgroup: 'struct cgroup { int unknown; };',
  bpf_cpumask: 'struct bpf_cpumask { int unknown; };',
};

const structsOf = (functions: string, types: string, context: string | null): string => {
  const all = context === null ? STRUCTS : { ...STRUCTS, [context]: `struct ${context} { long long first; };` };
  return Object.entries(all)
    .filter(([name]) => functions.includes(`struct ${name} `) && !types.includes(`struct ${name} {`))
    .map(([, text]) => `${text}\n`)
    .join('');
};

const known = new Map<string, Btf>();

/**
 * BTF of C types and, behind them, functions, as an object has one for all of it; the same text gives the same BTF. A context is a
 * struct that is more than declared (btf_is_prog_ctx_type), and so is what is passed by value.
 */
export function btfOfFunctions(types: string, prototypes: readonly string[], context: string | null): Btf {
  if (prototypes.length === 0) return btfOfTypes(types);
  const functions = prototypes.map((prototype) => `${prototype};`).join('\n');
  const text = types + functions;
  let btf = known.get(text);
  if (btf === undefined) {
    if (known.size > 2000) known.clear();
    btf = btfFromC(
      structsOf(functions, types, context) + functions,
      types === '' ? undefined : BtfBuilder.from(btfOfTypes(types)),
    ).btf;
    known.set(text, btf);
  }
  return btf;
}
