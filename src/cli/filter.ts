/**
 * Name filters in veristat's notation: `GLOB` matches the object or the program, `OBJECT/PROGRAM` both (either may be missing),
 * a leading `!` denies. Source: append_filter and should_process_file_prog, tools/testing/selftests/bpf/veristat.c.
 */
export interface NameFilter {
  readonly isDenial: boolean;
  /** matches object or program; null when the parts are given */
  readonly any: string | null;
  readonly object: string | null;
  readonly program: string | null;
}

export function parseFilter(text: string): NameFilter {
  const isDenial = text.startsWith('!');
  const glob = isDenial ? text.slice(1) : text;
  const slash = glob.indexOf('/');
  if (slash === -1) return { isDenial, any: glob, object: null, program: null };
  return { isDenial, any: null, object: glob.slice(0, slash) || null, program: glob.slice(slash + 1) || null };
}

/** `*` stands for any text, every other character for itself; in time linear in the product of the lengths. */
export function globMatches(text: string, glob: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  let i = 0;
  while (i < text.length) {
    if (glob[at] === '*') {
      star = at++;
      retry = i;
    } else if (at < glob.length && glob[at] === text[i]) {
      at++;
      i++;
    } else if (star !== -1) {
      at = star + 1;
      i = ++retry;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}

const matches = ({ any, object: objectGlob, program: programGlob }: NameFilter, object: string, program: string): boolean =>
  any !== null
    ? globMatches(object, any) || globMatches(program, any)
    : (objectGlob === null || globMatches(object, objectGlob)) && (programGlob === null || globMatches(program, programGlob));

/**
 * Whether a program is wanted. `object` is the file name without its directories. Differs from veristat: `!OBJECT/PROGRAM` denies
 * what matches both parts, not either.
 */
export function isWanted(filters: readonly NameFilter[], object: string, program: string): boolean {
  if (filters.some((filter) => filter.isDenial && matches(filter, object, program))) return false;
  const allowing = filters.filter((filter) => !filter.isDenial);
  return allowing.length === 0 || allowing.some((filter) => matches(filter, object, program));
}
