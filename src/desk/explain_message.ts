import type { Explanation } from './explain.ts';

/** A sample program: its name under `programs/`, and its text. */
export interface Sample {
  readonly name: string;
  readonly text: string;
}

/** Numbers of registers, offsets and ids do not matter: two messages of one shape come from one rule. */
const shapeOf = (message: string): string =>
  message
    .toLowerCase()
    .replace(/\b(r|fp|arg#?|insn |func#)-?\d+/g, '$1N')
    .replace(/\b0x[0-9a-f]+\b|-?\b\d+\b/g, 'N')
    .trim();

const SHORTEST = 6;

/** What is said above the first line of a program: its story. */
const storyOf = (text: string): string =>
  (/^(?:#.*\n)+/.exec(text)?.[0] ?? '')
    .split('\n')
    .map((line) => line.replace(/^#\s?/, ''))
    .join(' ')
    .trim();

const expectedMessages = (text: string): string[] =>
  [...text.matchAll(/^\s*\.expect (?:unprivileged )?message "((?:[^"\\]|\\.)*)"/gm)].map(([, message]) =>
    message!.replace(/\\(.)/g, '$1'),
  );

/** The samples that provoke a message of the verifier: each says in its first lines why. Empty when none does. */
export function explainMessage(message: string, samples: readonly Sample[]): Explanation[] {
  const wanted = shapeOf(message);
  if (wanted.length < SHORTEST) return [];
  const shown = samples.filter(({ text }) =>
    expectedMessages(text).some((expected) => {
      const shape = shapeOf(expected);
      return shape.length >= SHORTEST && (shape.includes(wanted) || wanted.includes(shape));
    }),
  );
  if (shown.length === 0) return [];
  return [
    {
      kind: 'message',
      name: message,
      summary: 'Programs that Linux refuses in these words:',
      facts: shown.map(({ name, text }): [string, string] => [name, storyOf(text)]),
    },
  ];
}
