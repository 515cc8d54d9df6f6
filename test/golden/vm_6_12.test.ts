import { describe, expect, test } from 'vitest';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { verify } from '../../src/verifier/verify.ts';
import { type GoldenName, type GoldenVerdict, readGolden } from '../../tools/vm_verdicts/golden.ts';
import { hasSuite, ownSubjects, type Subject, suiteSubjects } from '../../tools/vm_verdicts/subjects.ts';

/**
 * Programs that many machines refuse to load by policy: our verdict, which is that of Linux 6.18, beside what Linux 6.12 said under
 * QEMU. `npm run vm-verdicts` records anew.
 */

/** Where the two kernels differ, and why. */
const EXPLAINED: Readonly<Record<string, string>> = {
  'fentry_denied.bpf.s/prog': '6.18 says why it refuses to trace the function, 6.12 refuses without a word',
  'fexit_noreturn.bpf.s/prog': '6.18 names the function that does not return',
  'test_d_path_check_types.bpf.o/d_path_check_rdonly_mem':
    'the recording machine of the 6.18 profile has no addresses of variables in /proc/kallsyms, the guest does',
  'test_sig_in_xattr.bpf.o/test_file_open': 'the 6.18 profile is built without fs-verity, and so without its kfunc',
  'verifier_ref_tracking.bpf.o/potential_reference_to_user_key': '6.18 words a reference that is left at exit anew',
  'verifier_ref_tracking.bpf.o/potential_reference_to_system_key': '6.18 words a reference that is left at exit anew',
  'verifier_vfs_reject.bpf.o/get_task_exe_file_kfunc_unreleased': '6.18 words a reference that is left at exit anew',
};

const profile = openBundledProfile();

interface Said {
  readonly verdict: string | null;
  /** the message with its numbers left out: ids of types differ from kernel to kernel */
  readonly message: string;
}

const wording = (message: string | null): string => (message ?? '').replace(/0x[0-9a-f]+|-?\d+/g, '#');

function ours({ program }: Subject): Said {
  if (program.loadError !== null) return { verdict: 'not-loaded', message: wording(program.loadError) };
  const { verdict, message } = verify(program, profile);
  return { verdict, message: wording(message) };
}

const theirs = ({ verdict, message }: GoldenVerdict): Said => ({ verdict, message: wording(message) });

/** Programs that the guest's verifier was asked about, with what it said. */
function compared(
  name: GoldenName,
  subjects: readonly Subject[],
): { readonly subject: Subject; readonly golden: GoldenVerdict }[] {
  const golden = new Map(readGolden(name).verdicts.map((row) => [row.name, row]));
  return subjects.flatMap((subject) => {
    const row = golden.get(subject.name);
    return row?.stage === 'program' ? [{ subject, golden: row }] : [];
  });
}

const differs = (a: Said, b: Said): boolean => a.verdict !== b.verdict || a.message !== b.message;

describe('each rule of attaching', () => {
  test.each(compared('programs', ownSubjects(profile)).map((row) => [row.subject.name, row] as const))('%s', (name, row) => {
    const [a, b] = [ours(row.subject), theirs(row.golden)];
    expect(a.verdict).toBe(b.verdict);
    if (name in EXPLAINED) expect(a.message).not.toBe(b.message);
    else expect(a.message).toBe(b.message);
  });

  test('every program was recorded', () => {
    const recorded = readGolden('programs').verdicts.filter(({ stage }) => stage === 'program');
    expect(recorded.map(({ name }) => name)).toEqual(ownSubjects(profile).map(({ name }) => name));
  });
});

describe.skipIf(!hasSuite())("the kernel's own tests", () => {
  const rows = compared('suite', suiteSubjects(profile)).map(({ subject, golden }) => ({
    name: subject.name,
    ours: ours(subject),
    theirs: theirs(golden),
  }));

  test('differences are known and have a reason', () => {
    expect(rows.length).toBeGreaterThan(200);
    expect(rows.filter((row) => differs(row.ours, row.theirs) && !(row.name in EXPLAINED))).toEqual([]);
  });

  test('verdicts agree on 95 %', () => {
    const agreeing = rows.filter((row) => row.ours.verdict === row.theirs.verdict);
    expect(agreeing.length / rows.length).toBeGreaterThanOrEqual(0.95);
  });

  test('nothing that the kernel refused is accepted', () => {
    expect(rows.filter((row) => row.ours.verdict === 'accept' && row.theirs.verdict === 'reject')).toEqual([]);
  });
});
