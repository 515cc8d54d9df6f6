import type { Param } from '../types.ts';
import { type Attributes, noAttributes, parseAttributes } from './attributes.ts';
import { type ConstantScope, parseConstant } from './constant.ts';
import { baseTypeOf, isBaseSpecifier } from './known_types.ts';
import { type Field, layOut } from './layout.ts';
import { type Token, TokenStream, tokenize } from './lexer.ts';
import type { CScope } from './scope.ts';

/** One declared name. */
export interface CDeclaration {
  readonly kind: 'func' | 'var' | 'typedef' | 'type';
  readonly name: string;
  /** A `FUNC`, `VAR` or `TYPEDEF`, or the struct, union or enum that a declaration without name defines. */
  readonly id: number;
  readonly storage: 'static' | 'extern' | 'none';
  readonly weak: boolean;
  /** From `__attribute__((section("…")))`, `__ksym` and kin. */
  readonly section: string | undefined;
  readonly line: number;
}

interface Specifiers {
  readonly type: number;
  readonly storage: 'static' | 'extern' | 'typedef' | 'none';
  readonly attributes: Attributes;
}

interface Declarator {
  readonly name: string;
  readonly token: Token;
  readonly attributes: Attributes;
  /** The declared type, given what stands left of the declarator. */
  readonly apply: (base: number) => number;
  /** Set where the outermost derivation is a function: tags of its parameters. */
  readonly paramTags: readonly (readonly string[])[] | undefined;
}

interface ParsedParam extends Param {
  readonly tags: readonly string[];
}

const QUALIFIERS: Readonly<Record<string, 'CONST' | 'VOLATILE' | 'RESTRICT'>> = {
  const: 'CONST',
  __const: 'CONST',
  volatile: 'VOLATILE',
  __volatile__: 'VOLATILE',
  restrict: 'RESTRICT',
  __restrict: 'RESTRICT',
  __restrict__: 'RESTRICT',
};

const qualifierAt = (stream: TokenStream): 'CONST' | 'VOLATILE' | 'RESTRICT' | undefined => {
  const token = stream.peek();
  return token.kind === 'word' && Object.hasOwn(QUALIFIERS, token.text) ? QUALIFIERS[token.text] : undefined;
};

const MAX_ARRAY = 0xffffffffn;

/** A recursive-descent reader of C declarations; every method consumes what it names. */
class Parser {
  readonly stream: TokenStream;
  readonly scope: CScope;
  readonly #constants: ConstantScope;

  constructor(source: string, scope: CScope) {
    this.stream = new TokenStream(tokenize(source));
    this.scope = scope;
    this.#constants = {
      enumerator: (name) => scope.enumerator(name),
      sizeOfTypeName: () => scope.layout(this.typeName()).size,
    };
  }

  constant(): bigint {
    return parseConstant(this.stream, this.#constants);
  }

  attributes(into: Attributes): void {
    parseAttributes(this.stream, into, () => this.constant());
  }

  /** `const unsigned int`, `struct foo { … }`, `static u32`, with attributes among them. */
  specifiers(): Specifiers {
    const { stream, scope } = this;
    const start = stream.peek();
    const attributes = noAttributes();
    const words: string[] = [];
    const qualifiers = new Set<'CONST' | 'VOLATILE' | 'RESTRICT'>();
    let storage: Specifiers['storage'] = 'none';
    let type: number | undefined;
    for (;;) {
      this.attributes(attributes);
      const token = stream.peek();
      if (token.kind !== 'word') break;
      const qualifier = qualifierAt(stream);
      if (qualifier !== undefined) {
        qualifiers.add(qualifier);
      } else if (token.text === 'static' || token.text === 'extern' || token.text === 'typedef') {
        storage = token.text;
      } else if (
        token.text === 'inline' ||
        token.text === '__inline' ||
        token.text === '__inline__' ||
        token.text === 'register'
      ) {
        // changes no type
      } else if (type === undefined && words.length === 0 && ['struct', 'union', 'enum'].includes(token.text)) {
        type = this.tagged();
        continue;
      } else if (type === undefined && isBaseSpecifier(token.text)) {
        words.push(token.text);
      } else if (type === undefined && words.length === 0 && token.text === 'void') {
        type = 0;
      } else if (type === undefined && words.length === 0 && scope.hasTypedef(token.text)) {
        type = scope.typedefNamed(token.text)!;
      } else {
        break;
      }
      stream.next();
    }
    if (type === undefined) {
      if (words.length === 0) {
        if (stream.peek().kind === 'word') stream.fail(`unknown type '${stream.peek().text}'`);
        stream.fail('expected a type');
      }
      const base = baseTypeOf(words);
      if (base === undefined) return stream.fail(`'${words.join(' ')}' is no type`, start);
      type = scope.base(base);
    }
    for (const qualifier of ['VOLATILE', 'CONST', 'RESTRICT'] as const) {
      if (qualifiers.has(qualifier)) type = scope.qualified(qualifier, type);
    }
    for (const tag of attributes.typeTags) type = scope.typeTag(tag, type);
    return { type, storage, attributes };
  }

  /** `struct NAME`, `struct NAME { … }`, `enum { … }`, … */
  tagged(): number {
    const { stream, scope } = this;
    const kind = stream.word('struct, union or enum') as 'struct' | 'union' | 'enum';
    const attributes = noAttributes();
    this.attributes(attributes);
    const nameToken = stream.peek();
    const name = nameToken.kind === 'word' ? stream.next().text : '';
    if (name === '' && !stream.is('{')) stream.fail(`expected a name or '{' after ${kind}`);
    const tag = name === '' ? { id: scope.builder.reserve(), kind, defined: false } : scope.tag(kind, name);
    if (tag === undefined) return stream.fail(`'${name}' is not a ${kind}`, nameToken);
    if (!stream.is('{')) return tag.id;
    if (tag.defined) stream.fail(`${kind} ${name} is defined twice`, nameToken);
    tag.defined = true;
    stream.next();
    if (kind === 'enum') this.enumBody(tag.id, name, attributes);
    else stream.nested(() => this.structBody(tag.id, kind === 'struct' ? 'STRUCT' : 'UNION', name, attributes));
    return tag.id;
  }

  enumBody(id: number, name: string, attributes: Attributes): void {
    const { stream, scope } = this;
    const values: { name: string; value: bigint }[] = [];
    let value = 0n;
    while (!stream.accept('}')) {
      const key = stream.word('an enumerator');
      if (stream.accept('=')) value = this.constant();
      if (value < -(1n << 63n) || value >= 1n << 64n) stream.fail('enumerator does not fit 64 bits');
      values.push({ name: key, value });
      scope.setEnumerator(key, value);
      value += 1n;
      if (!stream.accept(',') && !stream.is('}')) stream.fail("expected ',' or '}'");
    }
    this.attributes(attributes);
    if (values.length > 0xffff) stream.fail('more than 65535 enumerators');
    scope.defineEnum(id, name, values, attributes.mode > 0 ? attributes.mode : attributes.packed ? 1 : 4);
  }

  structBody(id: number, kind: 'STRUCT' | 'UNION', name: string, attributes: Attributes): void {
    const stream: TokenStream = this.stream;
    const { scope } = this;
    const fields: Field[] = [];
    const tags: { value: string; index: number }[] = [];
    let index = 0;
    while (!stream.accept('}')) {
      const specifiers = this.specifiers();
      if (specifiers.storage !== 'none') stream.fail(`a member cannot be ${specifiers.storage}`);
      if (stream.accept(';')) {
        const { size, align } = scope.layout(specifiers.type);
        if (size === undefined) stream.fail('a member has no size');
        fields.push({ name: '', type: specifiers.type, size, align, width: undefined, packed: false, asked: 0 });
        index++;
        continue;
      }
      do {
        const declarator = this.declarator(!stream.is(':'));
        const type = declarator.apply(specifiers.type);
        const token = stream.peek();
        const width = stream.accept(':') ? Number(this.constant()) : undefined;
        this.attributes(declarator.attributes);
        const { size, align } = scope.layout(type);
        if (size === undefined) stream.fail(`member '${declarator.name}' has no size`, declarator.token);
        if (width !== undefined && (width < 0 || width > size * 8)) stream.fail('bitfield is wider than its type', token);
        const asked = Math.max(specifiers.attributes.align, declarator.attributes.align);
        const packed = specifiers.attributes.packed || declarator.attributes.packed;
        fields.push({ name: declarator.name, type, size, align, width, packed, asked });
        if (width === undefined || declarator.name !== '') {
          for (const value of [...specifiers.attributes.declTags, ...declarator.attributes.declTags]) tags.push({ value, index });
          index++;
        }
      } while (stream.accept(','));
      stream.expect(';');
    }
    this.attributes(attributes);
    const { members, size, align } = layOut(kind, fields, attributes);
    if (members.length > 0xffff || size > 0xffffffff) stream.fail(`${kind.toLowerCase()} is too large`);
    if (members.some((member) => (member.bitfieldSize ?? 0) > 0) && size >= 1 << 21)
      stream.fail('a struct with bitfields is too large');
    scope.defineStruct(id, kind, name, members, { size, align });
    for (const { value, index: component } of tags) scope.builder.declTag(value, id, component);
    for (const value of attributes.declTags) scope.builder.declTag(value, id);
  }

  /** `*const name[4](…)`; without a name where `named` is false (a type name or a parameter). */
  declarator(named: boolean): Declarator {
    const { stream, scope } = this;
    const attributes = noAttributes();
    const pointers: ((base: number) => number)[] = [];
    this.attributes(attributes);
    while (stream.accept('*')) {
      pointers.push((base) => scope.pointer(base));
      for (;;) {
        const qualifier = qualifierAt(stream);
        if (qualifier !== undefined) {
          stream.next();
          pointers.push((base) => scope.qualified(qualifier, base));
          continue;
        }
        const before = attributes.typeTags.length;
        this.attributes(attributes);
        const tags = attributes.typeTags.splice(before);
        if (tags.length === 0) break;
        for (const tag of tags) pointers.push((base) => scope.typeTag(tag, base));
      }
    }
    const token = stream.peek();
    const direct = this.directDeclarator(named);
    this.attributes(attributes);
    const loose = attributes.typeTags.splice(0);
    return {
      name: direct.name,
      token,
      attributes,
      paramTags: direct.paramTags,
      apply: (base) => {
        const left = pointers.reduce((type, wrap) => wrap(type), base);
        return direct.apply(loose.reduce((type, tag) => scope.typeTag(tag, type), left));
      },
    };
  }

  directDeclarator(named: boolean): Pick<Declarator, 'name' | 'apply' | 'paramTags'> {
    const { stream, scope } = this;
    let name = '';
    let inner: Declarator | undefined;
    if (stream.is('(') && this.#opensDeclarator()) {
      stream.next();
      inner = stream.nested(() => this.declarator(named));
      stream.expect(')');
      name = inner.name;
    } else if (stream.peek().kind === 'word') {
      name = stream.next().text;
    } else if (named) {
      stream.fail('expected a name');
    }
    const suffixes: ((base: number) => number)[] = [];
    let paramTags: (readonly string[])[] | undefined;
    for (;;) {
      const token = stream.peek();
      if (stream.accept('[')) {
        const length = stream.is(']') ? 0n : this.constant();
        stream.expect(']');
        if (length < 0n || length > MAX_ARRAY) stream.fail('array length out of range', token);
        suffixes.push((base) => {
          const { size } = scope.layout(base);
          if (size === undefined) return stream.fail('array of a type without size', token);
          if (size * Number(length) > 0xffffffff) stream.fail('array is larger than 4 GiB', token);
          return scope.array(base, Number(length));
        });
      } else if (stream.accept('(')) {
        const params = stream.nested(() => this.params());
        if (suffixes.length === 0 && inner === undefined) paramTags = params.map((param) => param.tags);
        const plain = params.map((param) => ({ name: param.name, type: param.type }));
        suffixes.push((base) => scope.functionType(base, plain));
      } else {
        break;
      }
    }
    const apply = (base: number): number => {
      const type = suffixes.reduceRight((under, suffix) => suffix(under), base);
      return inner === undefined ? type : inner.apply(type);
    };
    return { name, apply, paramTags };
  }

  /** Whether a '(' here encloses a declarator rather than parameters. */
  #opensDeclarator(): boolean {
    const after = this.stream.peek(1);
    if (after.kind === 'punct') return after.text === '*' || after.text === '(';
    return after.kind === 'word' && !this.#startsType(after.text);
  }

  #startsType(word: string): boolean {
    return (
      isBaseSpecifier(word) ||
      Object.hasOwn(QUALIFIERS, word) ||
      ['void', 'struct', 'union', 'enum'].includes(word) ||
      this.scope.hasTypedef(word)
    );
  }

  params(): ParsedParam[] {
    const { stream, scope } = this;
    const params: ParsedParam[] = [];
    if (stream.accept(')')) return params;
    if (stream.is('void') && stream.peek(1).text === ')') {
      stream.next();
      stream.next();
      return params;
    }
    do {
      if (stream.accept('...')) {
        params.push({ name: '', type: 0, tags: [] });
        break;
      }
      const specifiers = this.specifiers();
      const declarator = this.declarator(false);
      const declared = declarator.apply(specifiers.type);
      if (declared === 0) stream.fail('a parameter cannot be void', declarator.token);
      const tags = [...specifiers.attributes.declTags, ...declarator.attributes.declTags];
      params.push({ name: declarator.name, type: scope.decayed(declared), tags });
    } while (stream.accept(','));
    stream.expect(')');
    if (params.length > 0xffff) stream.fail('too many parameters');
    return params;
  }

  /** A type without a name: `struct foo *`, `u32[4]`. */
  typeName(): number {
    const specifiers = this.specifiers();
    return this.declarator(false).apply(specifiers.type);
  }

  /** One declaration with its ';' (which may be missing at the end of the text). */
  declaration(into: CDeclaration[]): void {
    const { stream, scope } = this;
    const start = stream.peek();
    const specifiers = this.specifiers();
    const { storage } = specifiers;
    const finish = (kind: CDeclaration['kind'], name: string, id: number, attributes: Attributes): void => {
      const section = attributes.section ?? specifiers.attributes.section;
      const weak = attributes.weak || specifiers.attributes.weak;
      into.push({ kind, name, id, storage: storage === 'typedef' ? 'none' : storage, weak, section, line: start.line });
    };
    if (stream.is(';') || stream.ended) {
      stream.accept(';');
      finish('type', '', specifiers.type, specifiers.attributes);
      return;
    }
    do {
      const declarator = this.declarator(true);
      const type = declarator.apply(specifiers.type);
      const declTags = [...specifiers.attributes.declTags, ...declarator.attributes.declTags];
      const linkage = storage === 'static' ? 'static' : storage === 'extern' ? 'extern' : 'global';
      const align = Math.max(specifiers.attributes.align, declarator.attributes.align);
      const { builder } = scope;
      let id: number;
      if (storage === 'typedef') {
        id = scope.typedef(declarator.name, type, align);
        finish('typedef', declarator.name, id, declarator.attributes);
      } else if (declarator.paramTags !== undefined && scope.isFunction(type)) {
        id = builder.func(declarator.name, type, linkage);
        declarator.paramTags.forEach((tags, index) => {
          for (const value of tags) builder.declTag(value, id, index);
        });
        finish('func', declarator.name, id, declarator.attributes);
      } else {
        if (type === 0) stream.fail(`'${declarator.name}' cannot be void`, declarator.token);
        id = builder.variable(declarator.name, type, linkage);
        finish('var', declarator.name, id, declarator.attributes);
      }
      for (const value of declTags) builder.declTag(value, id);
    } while (stream.accept(','));
    if (!stream.ended) stream.expect(';');
  }
}

/**
 * Reads C declarations into `scope`: structs, unions, enums, typedefs, function prototypes, variables, with bitfields and the
 * attributes BPF programs use. Errors are `CSyntaxError`. May be called again on the same scope.
 */
export const parseDeclarations = (source: string, scope: CScope): CDeclaration[] => {
  const parser = new Parser(source, scope);
  const declarations: CDeclaration[] = [];
  while (!parser.stream.ended) {
    if (!parser.stream.accept(';')) parser.declaration(declarations);
  }
  return declarations;
};

/** Reads one type name (`struct foo *`, `u32`, `char[16]`) and gives its id. */
export const parseTypeName = (source: string, scope: CScope): number => {
  const parser = new Parser(source, scope);
  const id = parser.typeName();
  if (!parser.stream.ended) parser.stream.fail('expected the end of the type');
  return id;
};
