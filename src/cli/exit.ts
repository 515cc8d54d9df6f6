/** Exit statuses: what `drybpf` answers to the shell. On several objects the worst of them. */
export const EXIT = {
  /** accepted, ran */
  good: 0,
  /** rejected, unknown, faulted, mismatch found */
  bad: 1,
  /** usage, unreadable or malformed input */
  question: 2,
} as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** The question was bad: one line for standard error, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const worst = (a: ExitStatus, b: ExitStatus): ExitStatus => (a > b ? a : b);
