import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { Malformed } from '../../src/contracts/errors.ts';
import { type SelftestResult, selftest } from '../../src/desk/selftest.ts';
import { loadObject } from '../../src/elf/load.ts';
import type { ObjectImage } from '../../src/program/program.ts';

/** What the kernel's own tests, of Linux 6.12, say of loads without privileges, where their objects are ($KERNEL_SUITE_DIR). */
const OBJECTS = join(process.env['KERNEL_SUITE_DIR'] ?? join(homedir(), '.cache/kernel-suite'), 'obj/selftests');

const GUARDED = '6.18 puts a barrier where 6.12 refuses what only a mispredicted path does';
const NEGATION = '6.18 knows the negation of a known number, so that both paths mask the same';
const WORDING = '6.18 words reads of the stack anew';
const GUARDED_FIRST = 'the barrier of 6.18 ends the path before the message of 6.12';
const MAP = 'the loader gives a map without entries one, as veristat does, which the kernel does not take for this type';

const EXPLAINED: Readonly<Record<string, string>> = {
  'verifier_and.bpf.o/known_subreg_with_unknown_reg': GUARDED,
  'verifier_cgroup_storage.bpf.o/cpu_cgroup_storage_access_3': MAP,
  'verifier_cgroup_storage.bpf.o/cpu_cgroup_storage_access_5': MAP,
  'verifier_cgroup_storage.bpf.o/cpu_cgroup_storage_access_6': MAP,
  'verifier_cgroup_storage.bpf.o/per_cpu_cgroup_storage_access': MAP,
  'verifier_helper_access_var_len.bpf.o/stack_bitwise_and_zero_included': WORDING,
  'verifier_helper_access_var_len.bpf.o/stack_jmp_no_min_check': WORDING,
  'verifier_helper_access_var_len.bpf.o/variable_memory_8_bytes_leak': WORDING,
  'verifier_movsx.bpf.o/mov64sx_s32_varoff_2': GUARDED,
  'verifier_movsx.bpf.o/mov64sx_s32_varoff_3': GUARDED,
  'verifier_unpriv.bpf.o/alu32_mov_u32_const': GUARDED,
  'verifier_unpriv.bpf.o/on_stack_to_helper_function': WORDING,
  'verifier_value_ptr_arith.bpf.o/ptr_unknown_vs_unknown_gt': NEGATION,
  'verifier_value_ptr_arith.bpf.o/ptr_unknown_vs_unknown_lt': NEGATION,
  'verifier_value_ptr_arith.bpf.o/value_pointer_and_scalar_1': GUARDED_FIRST,
  'verifier_value_ptr_arith.bpf.o/value_pointer_and_scalar_2': GUARDED_FIRST,
  'verifier_value_ptr_arith.bpf.o/value_ptr_unknown_scalar_2_2': GUARDED,
};

const profile = openBundledProfile();

function open(name: string): ObjectImage | null {
  try {
    return loadObject(new Uint8Array(readFileSync(join(OBJECTS, name))), name, { profile });
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

const unprivileged = (name: string): SelftestResult[] => {
  const image = open(name);
  return image === null ? [] : [...selftest(image, profile, undefined, { modes: ['unprivileged'], runs: false })];
};

describe.skipIf(!existsSync(OBJECTS))("the kernel's own tests without privileges", () => {
  const results = readdirSync(OBJECTS)
    .filter((name) => name.endsWith('.o'))
    .flatMap(unprivileged);
  const failed = results.filter(({ outcome }) => outcome === 'fail');

  test('differences are known and have a reason', () => {
    expect(results.length).toBeGreaterThan(300);
    const unexplained = failed.filter(({ object, program }) => !(`${object}/${program}` in EXPLAINED));
    expect(unexplained.map(({ object, program, reason }) => `${object}/${program}: ${reason}`)).toEqual([]);
  });

  test('95 % say what we say', () => {
    expect((results.length - failed.length) / results.length).toBeGreaterThanOrEqual(0.95);
  });
});
