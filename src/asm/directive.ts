import type * as ohm from 'ohm-js';
import recipe from './grammars/directives.json' with { type: 'json' };
import { openGrammar } from './grammars/grammar.ts';
import { StatementError } from './statement.ts';

export interface Word {
  readonly text: string;
  /** written in quotes */
  readonly quoted: boolean;
  /** 0-based, from the dot */
  readonly column: number;
}

/** A value after ` = `; `hex` is a string of hexadecimal bytes. */
export interface Value extends Word {
  readonly hex: boolean;
}

export interface Directive {
  /** without the dot */
  readonly name: string;
  readonly words: readonly Word[];
  readonly attributes: ReadonlyMap<string, Word>;
  readonly initial: { readonly values: readonly Value[]; readonly column: number } | null;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', 0: '\0' };

/** The value of a string in quotes: `\n`, `\t`, `\r`, `\0`, `\xNN`; any other character stands for itself. */
export const unquote = (quoted: string): string =>
  quoted
    .slice(1, -1)
    .replace(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex?: string, char?: string) =>
      hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[char!] ?? char!),
    );

/** The text as `unquote` reads it back. */
export const quote = (text: string): string =>
  `"${text.replace(/["\\]/g, '\\$&').replace(/[\n\t\r\0]/g, (char) => ({ '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0' })[char]!)}"`;

function build(): (line: string) => Directive {
  const grammar = openGrammar(recipe);
  const semantics = grammar.createSemantics();
  semantics.addOperation<Word>('word', {
    bare(chars) {
      return { text: chars.sourceString, quoted: false, column: this.source.startIdx };
    },
    list(chars) {
      return { text: chars.sourceString, quoted: false, column: this.source.startIdx };
    },
    text(_open, _chars, _close) {
      return { text: unquote(this.sourceString), quoted: true, column: this.source.startIdx };
    },
  });
  semantics.addOperation<Value>('value', {
    Value_hex(_hex, text) {
      return { ...(text['word']() as Word), hex: true };
    },
    Value_text: (text) => ({ ...(text['word']() as Word), hex: false }),
    Value_word: (bare) => ({ ...(bare['word']() as Word), hex: false }),
  });
  semantics.addOperation<Value[]>('values', {
    Initial: (_eq, values) => values['values'](),
    Values_list: (_open, list, _comma, _close) => list.asIteration().children.map((node) => node['value']()),
    Values_plain: (list) => list.asIteration().children.map((node) => node['value']()),
  });
  semantics.addOperation<Directive>('directive', {
    Directive(_dot, name, args, initial) {
      const words: Word[] = [];
      const attributes = new Map<string, Word>();
      for (const { children } of args.children) {
        const node = children[0]!;
        if (node.ctorName !== 'attribute') {
          words.push(node['word']());
          continue;
        }
        const [key, , value] = node.children;
        if (attributes.has(key!.sourceString))
          throw new StatementError(`'${key!.sourceString}' is given twice`, node.source.startIdx);
        attributes.set(key!.sourceString, value!['word']());
      }
      const given = initial.children[0];
      return {
        name: name.sourceString,
        words,
        attributes,
        initial: given === undefined ? null : { values: given['values'](), column: given.source.startIdx },
      };
    },
  });
  return (line) => {
    const match = grammar.match(line, 'Directive');
    if (match.failed()) {
      const failed = match as ohm.FailedMatchResult;
      throw new StatementError(`expected ${failed.getExpectedText()}`, failed.getRightmostFailurePosition());
    }
    return semantics(match)['directive']() as Directive;
  };
}

let reader: ReturnType<typeof build> | null = null;

/** Reads one directive; throws `StatementError`. */
export const readDirective = (line: string): Directive => {
  reader ??= build();
  return reader(line);
};
