import { Btf } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/builder.ts';
import { type CDeclaration, CScope, CSyntaxError, parseDeclarations, parseTypeName } from '../btf/c_parser.ts';
import { BtfError } from '../btf/error.ts';
import { base64ToBytes } from './base64.ts';
import type { Diagnostics, Position } from './diagnostics.ts';

export interface CType {
  readonly id: number;
  /** bytes; undefined for a type without a size */
  readonly size: number | undefined;
}

/** The C of a text file and the BTF it becomes. Errors go to the diagnostics; their results are null. */
export class CTypes {
  #scope = new CScope();
  /** Declarations of the kernel's symbols are read here, so that they leave no trace in the program's BTF. */
  readonly #foreign = new CScope();
  readonly #prototypes = new Map<string, CDeclaration>();
  readonly #diagnostics: Diagnostics;
  #isBroken = false;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  get scope(): CScope {
    return this.#scope;
  }

  /** Begins with the types of a blob, which keep their ids. C cannot name them. */
  blob(text: string, at: Position): void {
    this.#guard(at, () => {
      const bytes = base64ToBytes(text);
      if (bytes === null) throw new BtfError('expected base64');
      if (!this.isEmpty) throw new BtfError('there is one .btf block, in front of all C');
      this.#scope = new CScope(BtfBuilder.from(Btf.parse(bytes)));
    });
  }

  /** Some C could not be read: the types are not complete. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  #guard<T>(at: Position, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      this.#isBroken = true;
      if (error instanceof CSyntaxError) {
        const line = at.line + error.line - 1;
        const column = error.line === 1 ? at.column + error.column - 1 : error.column;
        this.#diagnostics.add(error.message, { line, column });
        return null;
      }
      if (!(error instanceof BtfError)) throw error;
      this.#diagnostics.add(error.message, at);
      return null;
    }
  }

  /** Types that later lines may use. */
  block(text: string, at: Position): void {
    const declared = this.#guard(at, () => parseDeclarations(text, this.scope)) ?? [];
    this.#guard(at, () => parseDeclarations(text, this.#foreign));
    for (const { kind, name, line } of declared) {
      if (kind === 'type' || kind === 'typedef') continue;
      const place = { line: at.line + line - 1, column: line === 1 ? at.column : 1 };
      const directive = kind === 'func' ? '.func, .program or .extern' : '.data, .rodata, .bss or .extern';
      this.#diagnostics.add(`a C block declares types; declare '${name}' with ${directive}`, place);
    }
  }

  typeName(text: string, at: Position): CType | null {
    return this.#guard(at, () => {
      const id = parseTypeName(text, this.scope);
      return { id, size: this.scope.layout(id).size };
    });
  }

  #one(text: string, at: Position, scope: CScope, kinds: readonly CDeclaration['kind'][], what: string): CDeclaration | null {
    const declared = this.#guard(at, () => parseDeclarations(text, scope));
    if (declared === null) return null;
    const only = declared.length === 1 ? declared[0]! : undefined;
    if (only !== undefined && kinds.includes(only.kind)) return only;
    this.#diagnostics.add(`expected one C declaration of ${what}`, at);
    return null;
  }

  /** A function of the program: its FUNC. The same text gives the same one. */
  prototype(text: string, at: Position): CDeclaration | null {
    const known = this.#prototypes.get(text);
    if (known !== undefined) return known;
    const found = this.#one(text, at, this.scope, ['func'], 'a function');
    if (found !== null) this.#prototypes.set(text, found);
    return found;
  }

  /** A variable of the program: its VAR. */
  variable(text: string, at: Position): CDeclaration | null {
    return this.#one(text, at, this.scope, ['var'], 'a variable');
  }

  /** A function or variable of the kernel; only its name and kind matter. */
  foreign(text: string, at: Position): CDeclaration | null {
    return this.#one(text, at, this.#foreign, ['func', 'var'], 'a function or a variable');
  }

  enumerator(name: string): bigint | null {
    return this.scope.enumerator(name) ?? null;
  }

  /** Whether there is anything for a BTF blob to hold. */
  get isEmpty(): boolean {
    return this.scope.builder.count === 1;
  }
}
