import { Fault, Malformed } from '../contracts/errors.ts';
import { decodeProgram, MalformedCode } from '../isa/codec.ts';
import type { Insn } from '../isa/insn.ts';
import { bytesOfHex } from '../library/raw_program.ts';
import { runConformance } from '../vm/conformance.ts';
import { EXIT, type ExitStatus } from './exit.ts';
import { readStdin } from './inputs.ts';
import { print, warn } from './output.ts';

const ENTRY = 'main';

/** The function `main` of an object's section `.text`. */
async function codeOfObject(bytes: Uint8Array): Promise<readonly Insn[]> {
  const { readElf } = await import('../elf/elf_file.ts');
  const elf = readElf(bytes, '-');
  const text = elf.sections.find(({ name }) => name === '.text');
  const main = elf.symbols.find(({ name, section }) => name === ENTRY && section === text?.index);
  if (text === undefined || main === undefined) throw new Malformed(`there is no function ${ENTRY} in section .text`, '-');
  return decodeProgram(text.data.subarray(main.value));
}

/**
 * `drybpf conformance [MEMORY] [--elf]`: one test of the public ISA runner, which gives the program as hexadecimal bytes on standard
 * input and the memory as an argument. Prints r0 in hexadecimal, or one line of error with a status that is not zero.
 */
export async function conformanceCommand(memory: string | undefined, options: { readonly elf?: boolean }): Promise<ExitStatus> {
  try {
    const input = bytesOfHex(new TextDecoder('latin1').decode(readStdin()));
    const data = memory === undefined ? new Uint8Array(0) : bytesOfHex(memory);
    const insns = options.elf === true ? await codeOfObject(input) : decodeProgram(input);
    print(`${runConformance(insns, data).toString(16)}\n`);
    return EXIT.good;
  } catch (error) {
    if (!(error instanceof Fault || error instanceof Malformed || error instanceof MalformedCode)) throw error;
    warn(`${error.message}\n`);
    return EXIT.bad;
  }
}
