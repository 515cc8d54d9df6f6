import { REFUSALS } from './refusals.ts';

const CONVERSION = /%[-+ #0-9.*]*(?:ll|[lhz])?[a-zA-Z]/;

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

interface Pattern {
  readonly format: string;
  readonly matches: RegExp;
  /** characters that stand as they are: the pattern with most of them fits best */
  readonly literal: number;
}

const patternOf = (format: string): Pattern => {
  const parts = format.split(CONVERSION);
  return { format, matches: new RegExp(parts.map(escaped).join('.*?')), literal: parts.join('').length };
};

let patterns: readonly Pattern[] | null = null;

/** The shape of a message: numbers and names in quotes are left out, so that messages of one rule look alike. */
export const shapeOf = (message: string): string =>
  message
    .replace(/'[^']*'/g, "'_'")
    .replace(/-?(?:0x[0-9a-f]+|\d+)/gi, 'N')
    .slice(0, 160);

/** Refusals of two lines, of which the first one says what was wrong. */
const SECOND_LINES =
  /^(Caller passes invalid args|cannot pass map_type|kfunc .* failed callback|arg#\d+ arg#\d+ memory, len pair|only read from)/;

/** Whether a line in front of this message says more. */
export const isSecondLine = (message: string): boolean => SECOND_LINES.test(message);

/** The kernel's format string that a message was made with; null for one that is not in the list. */
export function formatOf(message: string): string | null {
  patterns ??= REFUSALS.map(patternOf).sort((a, b) => b.literal - a.literal);
  return patterns.find(({ matches }) => matches.test(message))?.format ?? null;
}

/** Which of the kernel's refusals are among these messages, and which are not. */
export function refusalCoverage(messages: Iterable<string>): {
  readonly met: readonly string[];
  readonly missing: readonly string[];
} {
  const met = new Set<string>();
  for (const message of messages) {
    const format = formatOf(message);
    if (format !== null) met.add(format);
  }
  return { met: REFUSALS.filter((format) => met.has(format)), missing: REFUSALS.filter((format) => !met.has(format)) };
}
