import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { errnoName } from '../contracts/errors.ts';
import type { Program } from '../program/program.ts';
import { type OracleQuestion, type OracleRequest, oracleRequest } from './oracle_request.ts';

/** What the running kernel said of a program. */
export interface KernelAnswer {
  readonly verdict: 'accept' | 'reject';
  readonly errno: string | null;
  /** how far it came: the maps, the program that is attached to, or the program itself */
  readonly stage: 'map' | 'target' | 'program' | 'caps';
  /** the kernel took the program's BTF (libbpf loads the program without it else) */
  readonly btfErrno: string | null;
  readonly log: string;
  readonly logTrueSize: number;
}

/** The kernel cannot be asked here; the message says why. */
export class NoKernel extends Error {
  override readonly name = 'NoKernel';
}

const SOURCE_PLACES = ['./kernel-oracle/kernel_oracle.c', '../../tools/kernel-oracle/kernel_oracle.c'];
const COMPILERS = ['cc', 'gcc', 'clang'];

const cacheFolder = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'drybpf');

/** Builds the oracle unless this source was built before; the path of the program. */
function builtOracle(): string {
  const source = SOURCE_PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  if (source === undefined) throw new NoKernel('the source of the kernel oracle is not installed');
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const binary = join(cacheFolder(), `kernel-oracle-${digest}`);
  if (existsSync(binary)) return binary;
  mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
  const fresh = `${binary}.${process.pid}`;
  const chosen = process.env['CC'];
  for (const compiler of chosen ? [chosen] : COMPILERS) {
    const { status, error, stderr } = spawnSync(compiler, ['-O2', '-o', fresh, source], { encoding: 'utf8' });
    if (error !== undefined) continue;
    if (status !== 0) throw new NoKernel(`${compiler} cannot build the kernel oracle: ${stderr.split('\n')[0]}`);
    renameSync(fresh, binary);
    return binary;
  }
  throw new NoKernel(`there is no C compiler (${chosen ?? COMPILERS.join(', ')}) to build the kernel oracle with`);
}

interface RawAnswer {
  readonly release?: string;
  readonly stage: KernelAnswer['stage'];
  readonly errno: number;
  readonly btf_errno?: number;
  readonly log?: string;
  readonly log_true_size?: number;
}

/** A socket filter that returns 0: what every kernel with bpf(2) takes. */
const PROBE: OracleRequest = {
  insns: 'b7000000000000009500000000000000',
  prog_type: 1,
  expected_attach_type: 0,
  attach_btf_id: 0,
  attach_prog: null,
  flags: 0,
  license: 'GPL',
  name: 'probe',
  log_level: 0,
  btf: null,
  func_info: '',
  line_info: '',
  maps: [],
};

/**
 * The running kernel as an oracle: loads programs and says what the kernel answered; attaches and runs nothing. The process behind
 * it lives until `close`.
 */
export class KernelOracle {
  readonly release: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #interface: Interface;

  private constructor(
    process: ChildProcessWithoutNullStreams,
    lines: Interface,
    iterator: AsyncIterator<string>,
    release: string,
  ) {
    this.#process = process;
    this.#interface = lines;
    this.#lines = iterator;
    this.release = release;
  }

  /** Starts the oracle; `NoKernel` where there is no Linux, no compiler or no right to call bpf(2). */
  static async open(): Promise<KernelOracle> {
    if (process.platform !== 'linux') throw new NoKernel(`this is ${process.platform}, not Linux`);
    const child = spawn(builtOracle(), [], { stdio: 'pipe' });
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    const iterator = lines[Symbol.asyncIterator]();
    const first = await iterator.next();
    if (first.done === true) throw new NoKernel('the kernel oracle does not start');
    const { release } = JSON.parse(first.value) as RawAnswer;
    const oracle = new KernelOracle(child, lines, iterator, release ?? 'unknown');
    const probe = await oracle.#ask(PROBE);
    if (probe.errno !== 0) {
      oracle.close();
      throw new NoKernel(`bpf(2) answers ${errnoName(probe.errno)} here`);
    }
    return oracle;
  }

  async ask(program: Program, question: OracleQuestion): Promise<KernelAnswer> {
    const answer = await this.#ask(oracleRequest(program, question));
    return {
      verdict: answer.errno === 0 ? 'accept' : 'reject',
      errno: answer.errno === 0 ? null : errnoName(answer.errno),
      stage: answer.stage,
      btfErrno: answer.btf_errno ? errnoName(answer.btf_errno) : null,
      log: answer.log ?? '',
      logTrueSize: answer.log_true_size ?? 0,
    };
  }

  async #ask(request: OracleRequest): Promise<RawAnswer> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new NoKernel('the kernel oracle has ended');
    return JSON.parse(line.value) as RawAnswer;
  }

  close(): void {
    this.#interface.close();
    this.#process.stdin.end();
    this.#process.kill();
  }
}
