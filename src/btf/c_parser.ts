import type { Btf } from './btf.ts';
import type { BtfBuilder } from './builder.ts';
import { type CDeclaration, parseDeclarations } from './c/parser.ts';
import { CScope } from './c/scope.ts';
import { BtfError } from './error.ts';
import type { FuncProtoType, FuncType } from './types.ts';

export { CSyntaxError } from './c/lexer.ts';
export { type CDeclaration, parseDeclarations, parseTypeName } from './c/parser.ts';
export { CScope } from './c/scope.ts';

/** The declarations of a C text and the BTF they make. What was named and not defined is a forward declaration. */
export const btfFromC = (source: string, builder?: BtfBuilder): { btf: Btf; declarations: CDeclaration[] } => {
  const scope = new CScope(builder);
  const declarations = parseDeclarations(source, scope);
  scope.close();
  return { btf: scope.builder.build(), declarations };
};

export interface CPrototype {
  /** Holds the types below and no more. */
  readonly btf: Btf;
  readonly func: FuncType;
  readonly proto: FuncProtoType;
}

/** The one function that a C text declares, such as `int bpf_foo(struct task_struct *p__nullable, u32 flags)`. */
export const prototypeFromC = (source: string): CPrototype => {
  const { btf, declarations } = btfFromC(source);
  const functions = declarations.filter(({ kind }) => kind === 'func');
  const func = functions.length === 1 ? btf.typeOf(functions[0]!.id, 'FUNC') : undefined;
  const proto = func === undefined ? undefined : btf.typeOf(func.type, 'FUNC_PROTO');
  if (func === undefined || proto === undefined) throw new BtfError(`expected one function declaration: ${source.trim()}`);
  return { btf, func, proto };
};
