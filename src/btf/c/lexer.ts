import { BtfError } from '../error.ts';

/** Bad C, with where it is (both 1-based). */
export class CSyntaxError extends BtfError {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.name = 'CSyntaxError';
    this.line = line;
    this.column = column;
  }
}

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'char' | 'punct' | 'end';
  /** The text; for a string its value. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const PATTERN =
  /(?<space>\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)|(?<word>[A-Za-z_$][\w$]*)|(?<number>0[xX][\da-fA-F]+[uUlL]*|0[bB][01]+[uUlL]*|\d+[uUlL]*)|(?<string>"(?:[^"\\\n]|\\.)*")|(?<char>'(?:[^'\\\n]|\\.[^']*)')|(?<punct>\.\.\.|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:;,=(){}[\].])/y;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', 0: '\0', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** The value of a string or character literal between its quotes. */
const literalValue = (text: string): string =>
  text.replace(/\\(?:x([\da-fA-F]+)|([0-7]{1,3})|(.))/gs, (_, hex?: string, octal?: string, other?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16) & 0xff);
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
    return ESCAPES[other!] ?? other!;
  });

/** C text as tokens, the last of kind `end`. Adjacent strings are joined. */
export const tokenize = (source: string): Token[] => {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  PATTERN.lastIndex = 0;
  for (let at = 0; at < source.length; at = PATTERN.lastIndex) {
    const column = at - lineStart + 1;
    const match = PATTERN.exec(source);
    if (match === null) throw new CSyntaxError(`unexpected character ${JSON.stringify(source[at])}`, line, column);
    const text = match[0];
    const groups = match.groups!;
    if (groups['space'] === undefined) {
      const kind = (['word', 'number', 'string', 'char', 'punct'] as const).find((name) => groups[name] !== undefined)!;
      const value = kind === 'string' || kind === 'char' ? literalValue(text.slice(1, -1)) : text;
      const previous = tokens.at(-1);
      if (kind === 'string' && previous?.kind === 'string')
        tokens[tokens.length - 1] = { ...previous, text: previous.text + value };
      else tokens.push({ kind, text: value, line, column });
    }
    for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', newline + 1)) {
      line++;
      lineStart = at + newline + 1;
    }
  }
  tokens.push({ kind: 'end', text: 'end of text', line, column: source.length - lineStart + 1 });
  return tokens;
};

/** A position in a token list, with the small questions every part of the parser asks. */
export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  get ended(): boolean {
    return this.peek().kind === 'end';
  }

  /** Whether the next token is this word or punctuation. */
  is(text: string): boolean {
    const token = this.peek();
    return (token.kind === 'word' || token.kind === 'punct') && token.text === text;
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) this.fail(`expected '${text}'`);
  }

  word(what: string): string {
    if (this.peek().kind !== 'word') this.fail(`expected ${what}`);
    return this.next().text;
  }

  fail(message: string, token = this.peek()): never {
    const found = token.kind === 'string' ? JSON.stringify(token.text) : `'${token.text}'`;
    throw new CSyntaxError(message.startsWith('expected') ? `${message}, found ${found}` : message, token.line, token.column);
  }

  /** Runs one level deeper; refuses text nested beyond reason. */
  nested<T>(body: () => T): T {
    if (this.#depth >= 100) this.fail('nested too deeply');
    this.#depth++;
    try {
      return body();
    } finally {
      this.#depth--;
    }
  }
}
