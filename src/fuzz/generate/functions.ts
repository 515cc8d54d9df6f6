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

const known = new Map<string, Btf>();

/** BTF of C types and, behind them, functions, as an object has one for all of it; the same text gives the same BTF. */
export function btfOfFunctions(types: string, prototypes: readonly string[]): Btf {
  if (prototypes.length === 0) return btfOfTypes(types);
  const functions = prototypes.map((prototype) => `${prototype};`).join('\n');
  const text = types + functions;
  const source = functions.includes('struct pair') ? `struct pair { long long first; };\n${functions}` : functions;
  let btf = known.get(text);
  if (btf === undefined) {
    if (known.size > 2000) known.clear();
    btf = btfFromC(source, types === '' ? undefined : BtfBuilder.from(btfOfTypes(types))).btf;
    known.set(text, btf);
  }
  return btf;
}
