/**
 * A log without what depends on the boot or the clock of the machine: kernel addresses are numbered by first appearance, the line
 * with the verification time is left out (one message ends without a newline, and the line stands behind it). Nothing else is changed.
 */
export function comparableLog(log: string): string {
  const numbers = new Map<string, number>();
  return log.replace(/verification time \d+ usec\n/, '').replace(/0xffff[0-9a-f]{12}|0xKADDR\d+/g, (address) => {
    const number = numbers.get(address) ?? numbers.size + 1;
    numbers.set(address, number);
    return `0xKADDR${number}`;
  });
}

/** Where two logs part: the line, and both texts there; null for equal logs. */
export interface Parting {
  /** 1-based */
  readonly line: number;
  /** the last lines that both have */
  readonly before: readonly string[];
  readonly ours: string | null;
  readonly theirs: string | null;
}

const SHOWN_BEFORE = 3;

export function whereLogsPart(ours: string, theirs: string): Parting | null {
  if (ours === theirs) return null;
  const [left, right] = [ours.split('\n'), theirs.split('\n')];
  let at = 0;
  while (at < left.length && at < right.length && left[at] === right[at]) at++;
  return {
    line: at + 1,
    before: left.slice(Math.max(0, at - SHOWN_BEFORE), at),
    ours: left[at] ?? null,
    theirs: right[at] ?? null,
  };
}
