import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { OracleRequest } from '../../src/cli/oracle_request.ts';
import { errnoName } from '../../src/contracts/errors.ts';

/** Boots a kernel under QEMU and runs one command in it: $KERNEL_VM, or beside the repository. */
export const RUNNER = process.env['KERNEL_VM'] ?? fileURLToPath(new URL('../../../shared/kernel-vm/run.sh', import.meta.url));
const ORACLE = fileURLToPath(new URL('../kernel-oracle/kernel_oracle.c', import.meta.url));

const LONGEST_OUTPUT = 1 << 28;

/** The runner's exit status when the guest stopped on its own; under emulation now and then one does not come up. */
const GUEST_STOPPED = 125;
const ATTEMPTS = 3;

function command(program: string, args: readonly string[]): string {
  for (let attempt = 1; ; attempt++) {
    const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'latin1', maxBuffer: LONGEST_OUTPUT });
    if (error !== undefined) throw error;
    if (status === 0) return stdout;
    if (status !== GUEST_STOPPED || attempt === ATTEMPTS) throw new Error(`${program} ended with ${status}: ${stderr.trim()}`);
  }
}

/** What the guest said of one request. */
export interface GuestAnswer {
  readonly stage: 'map' | 'target' | 'program' | 'caps';
  /** null: accepted */
  readonly errno: string | null;
  readonly log: string;
}

/** A kernel of another version. Each call boots it. */
export class Guest {
  readonly #version: string;
  readonly #seconds: number;

  constructor(version: string, seconds: number) {
    this.#version = version;
    this.#seconds = seconds;
  }

  /** Standard output of a shell script that runs with `files` in its folder. */
  run(script: string, files: ReadonlyMap<string, string | Uint8Array>, mode = 0o755): Uint8Array {
    const folder = mkdtempSync(join(tmpdir(), 'vm-verdicts-'));
    try {
      for (const [name, content] of files) writeFileSync(join(folder, name), content, { mode });
      const shell = [
        '-k',
        this.#version,
        '-p',
        folder,
        '-t',
        String(this.#seconds),
        '--',
        'sh',
        '-c',
        `(${script}) | gzip -1 | base64`,
      ];
      const coded = command('bash', [RUNNER, ...shell]);
      return gunzipSync(Buffer.from(coded.replace(/\s/g, ''), 'base64'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** The BTF of the guest's kernel. */
  btf(): Uint8Array {
    return this.run('cat /sys/kernel/btf/vmlinux', new Map());
  }

  /** Asks for the verdict on each request, in order. */
  ask(requests: readonly OracleRequest[]): { readonly release: string; readonly answers: readonly GuestAnswer[] } {
    const folder = mkdtempSync(join(tmpdir(), 'vm-verdicts-'));
    try {
      const binary = join(folder, 'oracle');
      command(process.env['CC'] ?? 'cc', ['-O2', '-static', '-o', binary, ORACLE]);
      const files = new Map<string, string | Uint8Array>([
        ['requests', requests.map((request) => `${JSON.stringify(request)}\n`).join('')],
        ['oracle', readFileSync(binary)],
      ]);
      const output = this.run('./oracle < requests', files);
      const lines = new TextDecoder('latin1')
        .decode(output)
        .split('\n')
        .filter((line) => line !== '');
      const [head, ...rest] = lines.map((line) => JSON.parse(line));
      if (rest.length !== requests.length) throw new Error(`${rest.length} answers to ${requests.length} requests`);
      const answers = rest.map(({ stage, errno, log }) => ({
        stage,
        errno: errno === 0 ? null : errnoName(errno),
        log: log ?? '',
      }));
      return { release: head.release, answers };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
