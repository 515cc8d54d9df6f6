/**
 * Records what bpf_snprintf_btf of Linux 6.12 makes of random objects of its own types, and holds our text against it:
 *
 *     npx tsx tools/vm_show/record.ts
 *
 * All answers are compared over the guest's types. Kept are some of those whose types are the same in the bundled kernel.
 * The runner of the virtual machine is $KERNEL_VM, or ../shared/kernel-vm/run.sh beside the repository.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Btf } from '../../src/btf/btf.ts';
import { BTF_F_PTR_RAW, type Shown, showType } from '../../src/btf/print/show.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { Random } from '../../src/fuzz/random.ts';

const RUNNER = process.env['KERNEL_VM'] ?? fileURLToPath(new URL('../../../shared/kernel-vm/run.sh', import.meta.url));
export const GOLDEN = new URL('../../test/btf/print/show.linux_6_12.json', import.meta.url);

const REQUESTS = 6000;
const KEPT = 160;
const LARGEST = 1500;
const LARGEST_KEPT = 200;
const TEXT_BYTES = 16384;
const KINDS = ['INT', 'STRUCT', 'UNION', 'ENUM', 'ENUM64', 'TYPEDEF', 'ARRAY', 'PTR', 'FLOAT', 'CONST'];

export interface ShownRow {
  readonly kind: string;
  readonly name: string;
  readonly flags: number;
  /** bytes of the object, hexadecimal */
  readonly object: string;
  readonly text: string;
}

/** What we make of an object whose pointers are shown as they are; bytes behind it are zero. */
export function showBytes(btf: Btf, id: number, object: string, flags: number): Shown {
  const data = new Uint8Array(object.length / 2 + TEXT_BYTES);
  data.set(Buffer.from(object, 'hex'));
  return showType(
    btf,
    id,
    {
      read: (at, size) => data.subarray(at, at + size),
      pointerDigits: (lo, hi) => ((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)).toString(16).padStart(16, '0'),
    },
    flags,
  );
}

/** Standard output of a command in the guest. */
function inGuest(folder: string, command: string): Uint8Array {
  const args = ['-p', folder, '-t', '600', '--', 'sh', '-c', `${command} | gzip -1 | base64`];
  const coded = execFileSync('bash', [RUNNER, ...args], { encoding: 'latin1', maxBuffer: 1 << 28 });
  return gunzipSync(Buffer.from(coded.replace(/\s/g, ''), 'base64'));
}

function record(): void {
  const folder = mkdtempSync(join(tmpdir(), 'vm-show-'));
  try {
    const source = fileURLToPath(new URL('show.c', import.meta.url));
    execFileSync(process.env['CC'] ?? 'cc', ['-O2', '-static', '-o', join(folder, 'show'), source]);
    const btf = Btf.parse(inGuest(folder, 'cat /sys/kernel/btf/vmlinux'));
    const random = new Random(6);
    const shown = [...btf.types()].filter(({ kind, id }) => {
      const size = KINDS.includes(kind) ? (btf.sizeOf(id) ?? 0) : 0;
      return size > 0 && size <= LARGEST;
    });
    const asked = Array.from({ length: REQUESTS }, () => {
      const type = random.pick(shown);
      const density = random.pick([0.05, 0.2, 0.5]);
      const bytes = Uint8Array.from({ length: btf.sizeOf(type.id)! }, () => (random.chance(density) ? 1 + random.below(255) : 0));
      return { type, flags: random.below(16) | BTF_F_PTR_RAW, object: Buffer.from(bytes).toString('hex') };
    });
    writeFileSync(join(folder, 'requests'), asked.map(({ type, flags, object }) => `${type.id} ${flags} ${object}\n`).join(''));
    const answers = new TextDecoder().decode(inGuest(folder, './show < requests')).trim().split('\n');
    if (answers.length !== REQUESTS) throw new Error(`${answers.length} answers to ${REQUESTS} requests`);

    const bundled = openBundledProfile().btf;
    const rows: ShownRow[] = [];
    let different = 0;
    for (const [index, { type, flags, object }] of asked.entries()) {
      const [result, hex = ''] = answers[index]!.split(' ');
      const text = Buffer.from(hex, 'hex').toString('latin1');
      const ours = showBytes(btf, type.id, object, flags).text;
      if (ours.slice(0, TEXT_BYTES - 1) !== text || ours.length !== Number(result)) different++;
      const same = type.name === '' ? undefined : bundled.findByName(type.name, type.kind);
      if (rows.length === KEPT || same === undefined || object.length > 2 * LARGEST_KEPT) continue;
      if (showBytes(bundled, same.id, object, flags).text !== ours) continue;
      rows.push({ kind: type.kind, name: type.name, flags, object, text });
    }
    console.log(`${REQUESTS - different} of ${REQUESTS} texts are equal, ${rows.length} are kept`);
    const provenance = 'bpf_snprintf_btf of Debian Linux 6.12 under QEMU, objects of random bytes; tools/vm_show/record.ts';
    writeFileSync(GOLDEN, `${JSON.stringify({ provenance, rows }, null, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) record();
