const REGEX_CHARACTERS = /[.[\]\\()*+?{}|^$/]/g;

const verbatim = (text: string): string => text.replace(REGEX_CHARACTERS, '\\$&');

/** In a POSIX expression a newline is in no negated set (REG_NEWLINE), and a slash needs no escape. */
const fromPosix = (regex: string): string => regex.replaceAll('[^', '[^\\n').replaceAll('/', '\\/');

/**
 * A pattern is verbatim text with regular expressions in double braces; one that has such becomes `/regex/`. So does text that
 * only looks like it. Source: compile_regex, tools/testing/selftests/bpf/test_loader.c.
 */
export function messagePattern(text: string): string {
  const looksLikeRegex = text.length > 1 && text.startsWith('/') && text.endsWith('/');
  if (!text.includes('{{')) return looksLikeRegex ? `/${verbatim(text)}/` : text;
  let out = '';
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    if (open === -1) return `/${out}${verbatim(text.slice(at))}/`;
    const close = text.indexOf('}}', open + 2);
    if (close === -1) return text;
    out += verbatim(text.slice(at, open)) + fromPosix(text.slice(open + 2, close));
    at = close + 2;
  }
  return `/${out}/`;
}
