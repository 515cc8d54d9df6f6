import type { Btf } from '../btf/btf.ts';
import type { FunctionTable, ObjectFunction } from './functions.ts';

const PREFIX = 'exception_callback:';

/** The exception callbacks that declaration tags give to programs. */
export interface ExceptionCallbacks {
  /**
   * The callback of a program; null for none, or for several, which the verifier refuses. A text says what is wrong with the tag.
   */
  of(main: ObjectFunction): ObjectFunction | string | null;
}

/** Source: bpf_prog_assign_exc_cb, tools/lib/bpf/libbpf.c. */
export function exceptionCallbacks(btf: Btf | null, functions: FunctionTable): ExceptionCallbacks {
  const names = new Map<string, string[]>();
  let misplaced = false;
  for (let id = 1; btf !== null && id < btf.count; id++) {
    const tag = btf.kindOf(id) === 'DECL_TAG' ? btf.typeOf(id, 'DECL_TAG') : undefined;
    if (tag === undefined || tag.componentIdx !== -1 || !tag.name.startsWith(PREFIX)) continue;
    const tagged = btf.typeOf(tag.type, 'FUNC');
    if (tagged === undefined || tagged.linkage !== 'global') {
      misplaced = true;
      continue;
    }
    const value = tag.name.slice(PREFIX.length);
    const known = names.get(tagged.name);
    if (known === undefined) names.set(tagged.name, [value]);
    else known.push(value);
  }
  const subprograms = new Map<string, ObjectFunction>();
  if (names.size > 0) {
    for (const fn of functions.list) if (fn.isSubprogram && !subprograms.has(fn.name)) subprograms.set(fn.name, fn);
  }
  return {
    of(main) {
      const refuse = (message: string): string => `prog '${main.name}': ${message}`;
      if (misplaced) return refuse('exception_callback:<value> decl tag not applied to the main program');
      const values = names.get(main.name) ?? [];
      if (values.length !== 1) return null;
      const name = values[0]!;
      if (name === '') return refuse('exception_callback:<value> decl tag contains empty value');
      const callback = subprograms.get(name);
      if (callback === undefined) return refuse(`cannot find exception callback '${name}'`);
      if (!callback.isExported) return refuse(`exception callback ${name} must be a global non-hidden function`);
      return callback;
    },
  };
}
