import { sectionKind } from '../asm/attach.ts';
import { Malformed } from '../contracts/errors.ts';
import type { Profile } from '../contracts/profile.ts';
import { decodeProgram, MalformedCode } from '../isa/codec.ts';
import type { ObjectImage, Program } from '../program/program.ts';

/** Bytes written as hexadecimal digits, with blanks anywhere between bytes. */
export function bytesOfHex(text: string, file: string | null = null): Uint8Array {
  const digits = text.replace(/^\s*0x/, '').replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/.test(digits))
    throw new Malformed('not an even number of hexadecimal digits', file);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** Bytecode without an object file: one program, in the given section. */
export function rawImage(code: Uint8Array, name: string, profile: Profile, section: string): ObjectImage {
  const kind = sectionKind(profile.progTypes, profile.btf, section);
  if (kind === null) throw new Malformed(`no program type has sections named '${section}'`, name);
  const license = 'GPL';
  const program: Program = {
    name: 'prog',
    section,
    type: kind.type,
    expectedAttachType: kind.expectedAttachType,
    hasAttachType: kind.hasAttachType,
    attach: kind.attach,
    flags: kind.flags,
    license,
    insns: decoded(code, name),
    maps: [],
    btf: null,
    funcInfo: [],
    lineInfo: [],
    loadError: kind.error,
  };
  return { name, programs: [program], maps: [], btf: null, license, expectations: new Map() };
}

function decoded(code: Uint8Array, name: string): Program['insns'] {
  try {
    return decodeProgram(code);
  } catch (error) {
    if (error instanceof MalformedCode) throw new Malformed(error.message, name);
    throw error;
  }
}
