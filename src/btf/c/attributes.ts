import type { TokenStream } from './lexer.ts';

/** What the attributes at one place ask for. */
export interface Attributes {
  readonly typeTags: string[];
  readonly declTags: string[];
  packed: boolean;
  /** Bytes of an enum by `mode(byte)` or `mode(word)`; 0: not asked for. */
  mode: number;
  /** Bytes; 0: none asked for. */
  align: number;
  section: string | undefined;
  weak: boolean;
}

export const noAttributes = (): Attributes => ({
  typeTags: [],
  declTags: [],
  packed: false,
  mode: 0,
  align: 0,
  section: undefined,
  weak: false,
});

/** Attributes without influence on types. */
const HARMLESS: ReadonlySet<string> = new Set([
  'always_inline',
  'cold',
  'const',
  'deprecated',
  'gnu_inline',
  'hot',
  'malloc',
  'may_alias',
  'noinline',
  'nonnull',
  'noreturn',
  'preserve_access_index',
  'preserve_static_offset',
  'pure',
  'unused',
  'used',
  'visibility',
  'warn_unused_result',
]);

type Effect = (into: Attributes) => void;
const typeTag =
  (value: string): Effect =>
  (into) =>
    into.typeTags.push(value);
const declTag =
  (value: string): Effect =>
  (into) =>
    into.declTags.push(value);
const nothing: Effect = () => {};

/** The macros of bpf_helpers.h, of the selftests' bpf_experimental.h and of the kernel that stand for attributes. */
const MACROS: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ['__kptr', typeTag('kptr')],
  ['__kptr_untrusted', typeTag('kptr_untrusted')],
  ['__percpu_kptr', typeTag('percpu_kptr')],
  ['__uptr', typeTag('uptr')],
  ['__rcu', typeTag('rcu')],
  ['__user', typeTag('user')],
  ['__percpu', typeTag('percpu')],
  ['__arg_ctx', declTag('arg:ctx')],
  ['__arg_nonnull', declTag('arg:nonnull')],
  ['__arg_nullable', declTag('arg:nullable')],
  ['__arg_trusted', declTag('arg:trusted')],
  ['__arg_untrusted', declTag('arg:untrusted')],
  ['__arg_arena', declTag('arg:arena')],
  ['__packed', (into) => void (into.packed = true)],
  ['__weak', (into) => void (into.weak = true)],
  ['__ksym', (into) => void (into.section = '.ksyms')],
  ['__kconfig', (into) => void (into.section = '.kconfig')],
  ['__hidden', nothing],
  ['__always_inline', nothing],
  ['__noinline', nothing],
  ['__bpf_kfunc', nothing],
  ['__must_check', nothing],
  ['__force', nothing],
  ['__iomem', nothing],
  ['__init', nothing],
  ['__extension__', nothing],
]);

const stringArgument = (stream: TokenStream): string => {
  stream.expect('(');
  if (stream.peek().kind !== 'string') stream.fail('expected a string');
  const { text } = stream.next();
  stream.expect(')');
  return text;
};

/** Skips a parenthesised argument list if one follows. */
const skipArguments = (stream: TokenStream): void => {
  if (!stream.accept('(')) return;
  for (let depth = 1; depth > 0; ) {
    const token = stream.next();
    if (token.kind === 'end') stream.fail("expected ')'");
    if (token.kind === 'punct' && token.text === '(') depth++;
    if (token.kind === 'punct' && token.text === ')') depth--;
  }
};

const oneAttribute = (stream: TokenStream, into: Attributes, constant: () => bigint): void => {
  const token = stream.peek();
  const name = stream.word('an attribute').replace(/^__(.*)__$/, '$1');
  switch (name) {
    case 'btf_type_tag':
      into.typeTags.push(stringArgument(stream));
      return;
    case 'btf_decl_tag':
      into.declTags.push(stringArgument(stream));
      return;
    case 'packed':
      into.packed = true;
      return;
    case 'section':
      into.section = stringArgument(stream);
      return;
    case 'weak':
      into.weak = true;
      return;
    case 'mode': {
      stream.expect('(');
      const mode = stream.word('byte or word').replace(/^__(.*)__$/, '$1');
      if (mode !== 'byte' && mode !== 'word') stream.fail(`mode '${mode}' is not supported`, token);
      stream.expect(')');
      into.mode = mode === 'byte' ? 1 : 8;
      return;
    }
    case 'aligned': {
      if (!stream.accept('(')) {
        into.align = Math.max(into.align, 16);
        return;
      }
      const value = Number(constant());
      stream.expect(')');
      if (value < 1 || value > 1 << 28 || (value & (value - 1)) !== 0) stream.fail('alignment is not a power of two', token);
      into.align = Math.max(into.align, value);
      return;
    }
    default:
      if (!HARMLESS.has(name)) stream.fail(`unknown attribute '${name}'`, token);
      skipArguments(stream);
  }
};

/** Reads the attributes that stand here, if any; `constant` reads a constant expression. */
export const parseAttributes = (stream: TokenStream, into: Attributes, constant: () => bigint): void => {
  for (;;) {
    if (stream.accept('__attribute__') || stream.accept('__attribute')) {
      stream.expect('(');
      stream.expect('(');
      while (!stream.is(')')) {
        if (!stream.accept(',')) oneAttribute(stream, into, constant);
      }
      stream.expect(')');
      stream.expect(')');
      continue;
    }
    if (stream.accept('__contains')) {
      stream.expect('(');
      const type = stream.word('a struct name');
      stream.expect(',');
      const field = stream.word('a field name');
      stream.expect(')');
      into.declTags.push(`contains:${type}:${field}`);
      continue;
    }
    if (stream.accept('__exception_cb')) {
      stream.expect('(');
      into.declTags.push(`exception_callback:${stream.word('a function name')}`);
      stream.expect(')');
      continue;
    }
    if (stream.is('__aligned')) {
      stream.next();
      stream.expect('(');
      into.align = Math.max(into.align, Number(constant()));
      stream.expect(')');
      continue;
    }
    const effect = stream.peek().kind === 'word' ? MACROS.get(stream.peek().text) : undefined;
    if (effect === undefined) return;
    stream.next();
    effect(into);
  }
};
