import type { Expectation } from '../program/program.ts';

type Messages = Pick<Expectation, 'messages' | 'notMessages' | 'notMessagesAfter'>;

/** Where a pattern is found, from its first character to behind its last. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The first occurrence of a pattern from `from` on; undefined when there is none, or text that is no regular expression. */
function find(pattern: string, log: string, from: number): Span | undefined | string {
  if (pattern.length > 1 && pattern.startsWith('/') && pattern.endsWith('/')) {
    let regex: RegExp;
    try {
      regex = new RegExp(pattern.slice(1, -1), 'gm');
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    regex.lastIndex = from;
    const match = regex.exec(log);
    return match === null ? undefined : { start: match.index, end: match.index + match[0].length };
  }
  const start = log.indexOf(pattern, from);
  return start === -1 ? undefined : { start, end: start + pattern.length };
}

/**
 * How a log differs from what is expected of it; null when it does not. Each message is looked for behind the one before. A
 * message that is not to be there is looked for between the expected ones that stand around it.
 * Source: validate_msgs, tools/testing/selftests/bpf/test_loader.c.
 */
export function messageMismatch(log: string, { messages, notMessages, notMessagesAfter }: Messages): string | null {
  const spans: Span[] = [];
  let at = 0;
  for (const message of messages) {
    const found = find(message, log, at);
    if (typeof found === 'string') return found;
    if (found === undefined) return `the log has no message ${quoted(message)}${spans.length === 0 ? '' : ' behind the others'}`;
    spans.push(found);
    at = found.end;
  }
  for (const [i, message] of notMessages.entries()) {
    const after = notMessagesAfter[i]!;
    const from = after === 0 ? 0 : spans[after - 1]!.end;
    const to = spans[after]?.start ?? log.length;
    const found = find(message, log, from);
    if (typeof found === 'string') return found;
    if (found !== undefined && found.end <= to) return `the log has the message ${quoted(message)}`;
  }
  return null;
}

const quoted = (pattern: string): string => (pattern.startsWith('/') ? pattern : `"${pattern}"`);
