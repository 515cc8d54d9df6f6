import type { Profile } from '../contracts/profile.ts';
import type { Campaign } from '../fuzz/campaign.ts';
import type { FuzzKernel } from '../fuzz/generate/kernel.ts';
import type { Program } from '../program/program.ts';
import type { Verdict } from '../verifier/verdict.ts';
import { verify } from '../verifier/verify.ts';
import { KernelOracle, NoKernel } from './kernel_oracle.ts';
import { kernelPeril } from './kernel_peril.ts';

const LOG_BYTES = 1 << 24;
const UNMAPPED_ARENA = "arena's user address must be set via map_extra or mmap()";
/** Questions that wait for the kernel's answer at a time. */
const ASKED_AT_ONCE = 50;
/** One program in so many is compared by its whole log, the others by what is logged at branches. */
const WHOLE_LOGS = 8;
/** Programs of more processed instructions are not asked for their whole log. */
const LOGGED_INSTRUCTIONS = 20_000;

/**
 * What we gave up is not asked about: the kernel would go on to its own limit, and so would we. Nor is what would take the kernel
 * down.
 */
const isAskable = (program: Program, profile: Profile, { verdict, stats, loaded }: Verdict): boolean =>
  verdict !== 'unknown' && stats.insnsProcessed <= LOGGED_INSTRUCTIONS && kernelPeril(program, profile, loaded) === null;

type Asked = Pick<KernelOracle, 'ask'>;

/** Asks the running kernel about programs of campaigns, several at a time. */
export class KernelQuestions {
  readonly #kernel: FuzzKernel;
  /** null: the kernel has killed the process that loads programs, and is not trusted with more of them */
  #oracle: Asked | null;
  #waiting: Promise<void>[] = [];

  constructor(kernel: FuzzKernel, oracle: Asked) {
    this.#kernel = kernel;
    this.#oracle = oracle;
  }

  static async open(kernel: FuzzKernel): Promise<KernelQuestions> {
    return new KernelQuestions(kernel, await KernelOracle.open());
  }

  /** Asks about program number `index`, of which we say `verdict`; waits for answers only where many are outstanding. */
  async ask(campaign: Campaign, index: number, verdict: Verdict): Promise<void> {
    if (this.#oracle === null || !isAskable(campaign.candidate(index).program, this.#kernel.profile, verdict)) return;
    this.#waiting.push(this.#compare(campaign, index, this.#oracle));
    if (this.#waiting.length >= ASKED_AT_ONCE) await this.settle();
  }

  /** Waits for every answer. */
  async settle(): Promise<void> {
    await Promise.all(this.#waiting);
    this.#waiting = [];
  }

  async #compare(campaign: Campaign, index: number, oracle: Asked): Promise<void> {
    const { program, capabilities } = campaign.candidate(index);
    const logLevel = index % WHOLE_LOGS === 0 ? 6 : 5;
    try {
      const answer = await oracle.ask(program, { logLevel, logSize: LOG_BYTES, capabilities });
      const isCut = answer.logTrueSize > LOG_BYTES;
      const isUnasked = answer.stage !== 'program' || answer.btfErrno !== null || (answer.errno === 'EPERM' && answer.log === '');
      // libbpf maps an arena before it loads a program; the oracle maps nothing
      if (isCut || isUnasked || answer.log.includes(UNMAPPED_ARENA)) return;
      const pieces: string[] = [];
      const verdict = verify(program, this.#kernel.profile, { logLevel, capabilities, log: (text) => void pieces.push(text) });
      campaign.compare(index, program, verdict, pieces.join(''), answer);
    } catch (error) {
      if (!(error instanceof NoKernel)) throw error;
      // answers come in the order of the questions: the first without one is what the process did not survive
      if (this.#oracle !== null) campaign.kernelFell(index, program);
      this.#oracle = null;
    }
  }
}
