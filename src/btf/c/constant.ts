import type { TokenStream } from './lexer.ts';

/** What a constant expression may ask about its surroundings. */
export interface ConstantScope {
  enumerator(name: string): bigint | undefined;
  /** Reads a type name, if one stands here, and gives its size. */
  sizeOfTypeName(): number | undefined;
}

type Operator = (a: bigint, b: bigint) => bigint;
const truth = (value: boolean): bigint => (value ? 1n : 0n);

/** Binary operators from the loosest to the tightest. */
const LEVELS: readonly Readonly<Record<string, Operator>>[] = [
  { '||': (a, b) => truth(a !== 0n || b !== 0n) },
  { '&&': (a, b) => truth(a !== 0n && b !== 0n) },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => truth(a === b), '!=': (a, b) => truth(a !== b) },
  { '<': (a, b) => truth(a < b), '>': (a, b) => truth(a > b), '<=': (a, b) => truth(a <= b), '>=': (a, b) => truth(a >= b) },
  { '<<': (a, b) => a << b, '>>': (a, b) => a >> b },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => a / b, '%': (a, b) => a % b },
];

const primary = (stream: TokenStream, scope: ConstantScope): bigint => {
  const token = stream.next();
  if (token.kind === 'number') {
    const digits = token.text.replace(/[uUlL]+$/, '');
    return /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  }
  if (token.kind === 'char') return BigInt(token.text.charCodeAt(0));
  if (token.kind === 'punct' && token.text === '(') {
    const value = conditional(stream, scope);
    stream.expect(')');
    return value;
  }
  if (token.kind === 'punct' && token.text === '-') return -unary(stream, scope);
  if (token.kind === 'punct' && token.text === '+') return unary(stream, scope);
  if (token.kind === 'punct' && token.text === '~') return ~unary(stream, scope);
  if (token.kind === 'punct' && token.text === '!') return truth(unary(stream, scope) === 0n);
  if (token.kind === 'word' && token.text === 'sizeof') {
    stream.expect('(');
    const size = scope.sizeOfTypeName();
    if (size === undefined) return stream.fail('sizeof a type without size');
    stream.expect(')');
    return BigInt(size);
  }
  const value = token.kind === 'word' ? scope.enumerator(token.text) : undefined;
  return value ?? stream.fail('expected a constant', token);
};

const unary = (stream: TokenStream, scope: ConstantScope): bigint => stream.nested(() => primary(stream, scope));

const binary = (stream: TokenStream, scope: ConstantScope, level: number): bigint => {
  const operators = LEVELS[level];
  if (operators === undefined) return unary(stream, scope);
  let left = binary(stream, scope, level + 1);
  for (;;) {
    const token = stream.peek();
    const operator = token.kind === 'punct' && Object.hasOwn(operators, token.text) ? operators[token.text] : undefined;
    if (operator === undefined) return left;
    stream.next();
    const right = binary(stream, scope, level + 1);
    if ((token.text === '/' || token.text === '%') && right === 0n) stream.fail('division by zero', token);
    if ((token.text === '<<' || token.text === '>>') && (right < 0n || right > 63n)) stream.fail('shift out of range', token);
    left = BigInt.asIntN(128, operator(left, right));
  }
};

const conditional = (stream: TokenStream, scope: ConstantScope): bigint => {
  const condition = binary(stream, scope, 0);
  if (!stream.accept('?')) return condition;
  const yes = stream.nested(() => conditional(stream, scope));
  stream.expect(':');
  const no = stream.nested(() => conditional(stream, scope));
  return condition !== 0n ? yes : no;
};

/** Reads an integer constant expression. */
export const parseConstant = (stream: TokenStream, scope: ConstantScope): bigint => conditional(stream, scope);
