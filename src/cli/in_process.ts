import { CommanderError } from 'commander';
import { EXIT, type ExitStatus } from './exit.ts';
import { withInput } from './inputs.ts';
import { withOutput } from './output.ts';
import { buildProgram } from './program.ts';

/** What a command answered. */
export interface CommandAnswer {
  readonly status: ExitStatus;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Runs one command line without a process of its own. Not for two at a time: there is one standard output. */
export async function runCommandLine(args: readonly string[], input: Uint8Array = new Uint8Array(0)): Promise<CommandAnswer> {
  let status: ExitStatus = EXIT.good;
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const run = async (): Promise<void> => {
    try {
      await buildProgram((done) => {
        status = done;
      }).parseAsync(args, { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode !== 0) status = EXIT.question;
    }
  };
  await withInput(input, () => withOutput({ stdout: (bytes) => stdout.push(bytes), stderr: (bytes) => stderr.push(bytes) }, run));
  return { status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') };
}
