/** What becomes of a program in a world, as a text program says it of itself: `.expect case NAME` and the lines behind it. */
export interface ExpectedCase {
  readonly name: string;
  readonly situation: Situation;
  readonly runs: readonly ExpectedRun[];
}

/** In what a program runs, whatever the revisions are. */
export interface Situation {
  /** file of the world, seen from the program's; null: a world without anything */
  readonly world: string | null;
  /** what an iterator walks, each as `KEY=VALUE` */
  readonly over: readonly string[];
  /** `PID/FD` of the ring that reads the iterator; null: a process that is not in the world does */
  readonly through: string | null;
  /** the link, and the descriptor that is walked, are closed before the first read */
  readonly closesLink: boolean;
  /** bytes of a read; what is expected is expected with each of them */
  readonly readSizes: readonly number[];
}

export const RING_NUMBERS = ['consumer', 'producer', 'wakeups'] as const;
/** Positions of a ring buffer of user space, and how often its producer was woken. */
export type RingNumber = (typeof RING_NUMBERS)[number];

export interface ExpectedRing {
  readonly map: string;
  readonly number: RingNumber;
  readonly value: number;
}

/** What is expected under some revisions. Null, or an empty list, for what is not said. */
export interface ExpectedRun {
  /** lists of `NAME=REVISION`, each with commas; `` is the kernel as it is */
  readonly revisions: readonly string[];
  readonly verdict: 'accept' | 'reject' | 'unknown' | 'not-loaded' | null;
  readonly errno: string | null;
  /** in the order in which the level-1 log has them */
  readonly messages: readonly string[];
  /** reasons why an accepted program may do harm */
  readonly unsound: readonly string[];
  /** error that attaching ends with */
  readonly attach: string | null;
  readonly returns: bigint | null;
  /** every message of the program */
  readonly printk: readonly string[] | null;
  /** all that reads give */
  readonly output: string | null;
  /** error that reading ends with */
  readonly readError: string | null;
  /** part of what a fault says */
  readonly fault: string | null;
  readonly rings: readonly ExpectedRing[];
  /** lines that the link's information has */
  readonly link: readonly string[];
}
