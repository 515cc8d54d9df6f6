import { verify } from '../library/verify_program.ts';
import type { Program } from '../program/program.ts';
import { comparableLog, type Parting, whereLogsPart } from '../report/comparable_log.ts';
import type { ProgramReport } from '../report/program_report.ts';
import { headingText, verdictText } from '../report/verdict_text.ts';
import type { LoadedFacts } from '../verifier/verdict.ts';
import { EXIT, type ExitStatus, UsageError, worst } from './exit.ts';
import { expandPaths, objectName } from './inputs.ts';
import { type KernelAnswer, KernelOracle, NoKernel } from './kernel_oracle.ts';
import { kernelPeril } from './kernel_peril.ts';
import { colours, print } from './output.ts';
import { reportProblem } from './problem.ts';
import { Progress } from './progress.ts';
import { readQuestion } from './question.ts';
import type { VerifyCommandOptions } from './verify_command.ts';

/** Every instruction and the statistics. */
const DEFAULT_LEVEL = 6;
const LOG_SIZE = 1 << 26;

interface Comparison {
  readonly ours: ProgramReport;
  /** null: it is not asked, for the reason that stands in `peril` */
  readonly kernel: KernelAnswer | null;
  readonly peril: string | null;
  /** the kernel's verifier had no say (a policy of the machine, a map that it does not create, a program that would fell it) */
  readonly isUnasked: boolean;
  readonly parting: Parting | null;
}

const agrees = ({ ours, kernel, isUnasked, parting }: Comparison): boolean =>
  isUnasked || (ours.verdict === kernel?.verdict && ours.errno === kernel.errno && parting === null);

function kernelWords({ kernel, peril, isUnasked }: Comparison): string {
  if (kernel === null) return `not asked: ${peril}`;
  if (isUnasked) return `did not come to verify it (${kernel.stage}: ${kernel.errno})`;
  return `${kernel.verdict}${kernel.errno === null ? '' : ` ${kernel.errno}`}`;
}

function showComparison(comparison: Comparison, release: string): void {
  const { ours, isUnasked, parting } = comparison;
  const words = kernelWords(comparison);
  const sign = agrees(comparison) ? colours.green('=') : colours.red('!');
  print(`${sign} ${headingText(ours)}\n    drybpf: ${verdictText(ours)}\n    ${release}: ${words}\n`);
  if (parting === null || isUnasked) return;
  const nothing = '(the log ends)';
  print(`    the logs part at line ${parting.line}:\n`);
  for (const line of parting.before) print(`        ${line}\n`);
  print(`      ${colours.red(`- ${parting.ours ?? nothing}`)}\n      ${colours.green(`+ ${parting.theirs ?? nothing}`)}\n`);
}

async function openOracle(): Promise<KernelOracle> {
  try {
    return await KernelOracle.open();
  } catch (error) {
    if (error instanceof NoKernel) throw new UsageError(`the kernel cannot be asked: ${error.message}`);
    throw error;
  }
}

/** `drybpf verify --against-kernel FILE...`: both verdicts, and where the logs part. */
export async function againstKernel(paths: readonly string[], options: VerifyCommandOptions): Promise<ExitStatus> {
  const question = await readQuestion(options);
  const files = expandPaths(paths);
  const oracle = await openOracle();
  const logLevel = options.logLevel === 0 ? DEFAULT_LEVEL : options.logLevel;
  const asking = { logLevel, logSize: LOG_SIZE, flags: options.progFlags, capabilities: options.cap };
  const compare = async (path: string, program: Program): Promise<Comparison | ProgramReport> => {
    let loaded: LoadedFacts | undefined;
    const ours = verify(program, question.profile, {
      object: path,
      logLevel,
      logLimit: LOG_SIZE,
      flags: options.progFlags,
      capabilities: options.cap,
      onLoaded: (facts) => void (loaded = facts),
    });
    if (ours.verdict === 'not-loaded') return ours;
    const peril = kernelPeril(program, question.profile, loaded);
    if (peril !== null) return { ours, kernel: null, peril, isUnasked: true, parting: null };
    const kernel = await oracle.ask(program, asking);
    const isUnasked = kernel.stage !== 'program' || (kernel.errno === 'EPERM' && kernel.log === '');
    const parting = whereLogsPart(comparableLog(ours.log ?? ''), comparableLog(kernel.log));
    return { ours, kernel, peril, isUnasked, parting };
  };
  const progress = new Progress(files.length);
  let status: ExitStatus = EXIT.good;
  const counts = { programs: 0, agree: 0, unasked: 0 };
  try {
    for (const path of files) {
      progress.step(path);
      try {
        const image = await question.load(path);
        for (const program of image.programs) {
          if (!question.isWanted(path, program)) continue;
          const result = await compare(path, program);
          progress.clear();
          counts.programs++;
          if ('verdict' in result) {
            if (options.format === 'json') print(`${JSON.stringify(result)}\n`);
            else print(`? ${headingText(result)}\n    drybpf: ${verdictText(result)}\n`);
            counts.unasked++;
            continue;
          }
          if (result.isUnasked) counts.unasked++;
          else if (agrees(result)) counts.agree++;
          else status = worst(status, EXIT.bad);
          if (options.format === 'json') print(`${JSON.stringify(jsonOf(result, oracle.release))}\n`);
          else showComparison(result, oracle.release);
        }
      } catch (error) {
        progress.clear();
        status = worst(status, reportProblem(error, objectName(path)));
      }
    }
  } finally {
    progress.clear();
    oracle.close();
  }
  if (options.format !== 'json')
    print(`${counts.programs} programs: ${counts.agree} agree with ${oracle.release} to the byte, ${counts.unasked} not asked\n`);
  return status;
}

const jsonOf = ({ ours, kernel, peril, isUnasked, parting }: Comparison, release: string) => ({
  ...ours,
  kernel: {
    release,
    verdict: isUnasked ? null : (kernel?.verdict ?? null),
    errno: kernel?.errno ?? null,
    log: kernel?.log ?? '',
    ...(peril === null ? {} : { peril }),
    sameLog: parting === null,
    parting,
  },
});
