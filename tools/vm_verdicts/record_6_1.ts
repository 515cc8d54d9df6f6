/**
 * Records what Linux 6.1 says of callbacks: it explores them once, and passes the dynptr of a sample as the third version of
 * bpf_user_ringbuf_drain did. The revisions `callbacks=6.1` and `dynptr-callback=v3` are held against it.
 *
 *   npm run vm-verdicts-6.1
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { assemble } from '../../src/asm/assemble.ts';
import { Btf } from '../../src/btf/btf.ts';
import { oracleRequest } from '../../src/cli/oracle_request.ts';
import type { Profile } from '../../src/contracts/profile.ts';
import { linux_6_18 } from '../../src/profiles/index.ts';
import { ONCE } from '../../test/verifier/call/cases/callback_once.ts';
import { RING_CALLBACKS } from '../../test/verifier/call/cases/ring_callbacks.ts';
import { goldenFile, insnsProcessedOf, messageOf } from './golden.ts';
import { Guest } from './guest.ts';

const VERSION = '6.1';
const BOOT_SECONDS = 900;
const BRANCHES_AND_STATISTICS = 5;

const guest = new Guest(VERSION, BOOT_SECONDS);
const profile: Profile = { ...linux_6_18(Btf.parse(guest.btf())), name: `linux-${VERSION}`, version: [6, 1, 0] };

const texts = [
  ...RING_CALLBACKS.map(({ rule, text }) => ({ name: rule, text })),
  ...ONCE.map(([name, text]) => ({ name, text })),
];
const requests = texts.map(({ text }) =>
  oracleRequest(assemble(text, 'callback.bpf.s', { profile }).programs[0]!, { logLevel: BRANCHES_AND_STATISTICS }),
);
const { release, answers } = guest.ask(requests);
const provenance = {
  kernel: release,
  how: 'npm run vm-verdicts-6.1: QEMU without hardware virtualisation, bpf(BPF_PROG_LOAD) at log level 5, ids of the BTF of this kernel',
  recorded: new Date().toISOString().slice(0, 10),
};
const rows = answers.map(({ stage, errno, log }, index) => ({
  name: texts[index]!.name,
  stage,
  verdict: errno === null ? 'accept' : 'reject',
  errno,
  message: errno === null ? null : messageOf(log),
  insnsProcessed: insnsProcessedOf(log),
}));
const file = goldenFile('callbacks');
mkdirSync(new URL('.', file), { recursive: true });
writeFileSync(file, [provenance, ...rows].map((row) => `${JSON.stringify(row)}\n`).join(''));
console.log(`callbacks: ${answers.length} programs asked of ${release}`);
