/**
 * Records what Linux 6.12 says of programs that many machines refuse to load by policy (fentry, fexit, fmod_ret, LSM, freplace):
 * boots it under QEMU, relocates the programs against its BTF, and asks.
 *
 *   npm run vm-verdicts
 *
 * The runner of the virtual machine is $KERNEL_VM, or ../shared/kernel-vm/run.sh beside the repository. Needs a C compiler that
 * links statically; the kernel's own tests are in $KERNEL_SUITE_DIR (default ~/.cache/kernel-suite) and are left out when absent.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Btf } from '../../src/btf/btf.ts';
import { type OracleRequest, oracleRequest } from '../../src/cli/oracle_request.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { linux_6_18 } from '../../src/profiles/index.ts';
import { type GoldenName, type GoldenVerdict, goldenFile, insnsProcessedOf, messageOf, type Provenance } from './golden.ts';
import { Guest, type GuestAnswer } from './guest.ts';
import { hasSuite, ownSubjects, type Subject, suiteSubjects } from './subjects.ts';

const VERSION = '6.12';
const BOOT_SECONDS = 900;
const BRANCHES_AND_STATISTICS = 5;

const guest = new Guest(VERSION, BOOT_SECONDS);

/** A kernel whose types are the guest's; the loader asks nothing else that differs. */
const guestProfile = (btf: Btf): Profile => ({ ...linux_6_18(btf), name: `linux-${VERSION}`, version: [6, 12, 0] });

function golden({ name, program }: Subject, answer: GuestAnswer | null): GoldenVerdict {
  const nothing = { verdict: null, errno: null, message: null, insnsProcessed: null };
  if (answer === null) return { name, stage: 'loader', ...nothing, message: program.loadError };
  const { stage, errno, log } = answer;
  if (stage !== 'program') return { name, stage, ...nothing, errno };
  const insnsProcessed = insnsProcessedOf(log);
  if (errno === null) return { name, stage, verdict: 'accept', errno, message: null, insnsProcessed };
  return { name, stage, verdict: 'reject', errno, message: messageOf(log), insnsProcessed };
}

function record(file: GoldenName, subjects: readonly Subject[]): void {
  const asked = subjects.filter(({ program }) => program.loadError === null);
  const requests = asked.map(({ program }): OracleRequest => oracleRequest(program, { logLevel: BRANCHES_AND_STATISTICS }));
  const { release, answers } = guest.ask(requests);
  const answerOf = new Map(asked.map((subject, i) => [subject, answers[i]!]));
  const provenance: Provenance = {
    kernel: release,
    how: 'npm run vm-verdicts: QEMU without hardware virtualisation, bpf(BPF_PROG_LOAD) at log level 5, ids of the BTF of this kernel',
    recorded: new Date().toISOString().slice(0, 10),
  };
  const rows = [provenance, ...subjects.map((subject) => golden(subject, answerOf.get(subject) ?? null))];
  mkdirSync(new URL('.', goldenFile(file)), { recursive: true });
  writeFileSync(goldenFile(file), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  console.log(`${file}: ${answers.length} of ${subjects.length} programs asked of ${release}`);
}

const profile = guestProfile(Btf.parse(guest.btf()));
record('programs', ownSubjects(profile));
if (hasSuite()) record('suite', suiteSubjects(profile));
else console.log("the kernel's own tests are not built here; their verdicts stay as they are");
