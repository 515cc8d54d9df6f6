/**
 * Writes docs/seeds.md: what the five documents were about that this project grew from, with commands to type and what they
 * answer. Every answer on the page is that of the command.
 *
 *     npm run seeds
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../src/cli/in_process.ts';

/** A command line, with what stands before a pipe. */
interface Step {
  readonly args: readonly string[];
  /** runs first; what it writes is the input */
  readonly from?: readonly string[];
}

/** Lines of a file. */
interface Excerpt {
  readonly file: string;
  readonly lines: RegExp;
}

type Part = string | Step | Excerpt;

const drybpf = (text: string): Step => ({ args: text.split(' ') });
const piped = (from: string, text: string): Step => ({ args: text.split(' '), from: from.split(' ') });

const RING = 'programs/user_ringbuf';
const IO_URING = 'programs/io_uring';
const BUFFERS = `iter ${IO_URING}/buffers.bpf.s --with page_to_pfn=v1 --world ${IO_URING}/eight_buffers.world.yaml --over io_uring=100/3`;

const PARTS: readonly Part[] = [
  `# The seeds

Five mails and patches of kernel developers are where this project began. Each proposes a way for BPF programs to look into the
kernel; two were merged after reviewers had changed them, three never were. Here they run, as proposed and as merged, over objects
that a world file describes: no root, no kernel, no virtual machine. The commands are typed in the root of the repository.

\`--with NAME=REVISION\` chooses what an interface is like. \`drybpf compare\` shows all of its revisions side by side; lines with a
star differ. Each sample under \`programs/\` says in its header what it expects in which world under which revision, and
\`drybpf selftest\` tries all of it.

## Draining a ring buffer of user space

*Review of version 3, August 2022; merged in Linux 6.1.* User space publishes samples in a ring, and a BPF program drains it: the
helper calls a function of the program for each sample. Here is one sample of twelve bytes:
`,
  drybpf(`run ${RING}/drain.bpf.s --world ${RING}/odd_length.world.yaml`),
  `Version 3 wanted samples in multiples of eight bytes. The reviewer had that changed, and more:
`,
  drybpf(`compare user_ringbuf/drain --world ${RING}/odd_length.world.yaml`),
  `**Which error?** A sample larger than the ring was documented as \`EINVAL\`, one that fits in no dynptr as \`E2BIG\`. The reviewer found
that ambiguous; both are \`E2BIG\` now:
`,
  drybpf(`compare user_ringbuf/drain --world ${RING}/too_large.world.yaml`),
  `**A loop without end.** A drain takes 131072 samples at most, but version 3 did not count discarded ones: a fast producer of them
could keep the kernel busy. The ring here holds one more than the limit. Version 3 consumes them all:
`,
  drybpf('compare user_ringbuf/unbounded'),
  `**No forced wake-up.** Version 3 refused \`BPF_RB_FORCE_WAKEUP\`:
`,
  drybpf('compare user_ringbuf/forced_wakeup'),
  `**The full ring.** Version 3 woke the producer in between when a sample left a ring that was full to the last byte, and the reviewer
asked how likely that is. Here four samples fill it:
`,
  drybpf(`compare user_ringbuf/drain --world ${RING}/full.world.yaml`),
  `**The dynptr of a sample.** Programs get a sample as a dynptr. Version 3 introduced \`PTR_TO_DYNPTR\` for it, and arguments that want an
uninitialised dynptr took it unchecked, so a program could write over what belongs to the kernel. The machine stops that, and the
report says that it was to be expected: an accepted program does not fault unless a revision is marked \`unsound\`.
`,
  drybpf('compare user_ringbuf/reinitialised'),
  `**The callback itself** was verified as if it were called exactly once, up to Linux 6.7. With an empty ring it is not called at all:
`,
  drybpf('compare user_ringbuf/callback_once'),
  `## Iterators over io_uring rings and epoll sets

*Cover letter and review of version 1, November 2021; never merged.* For checkpoint and restore, three iterators: over the buffers
and the files that are registered with a ring, and over what an epoll set watches. This is the series' own test, with the frame of
the first page of each buffer:
`,
  drybpf(`${BUFFERS} --with io_uring_buf=v2`),
  `Reads of one byte give the same. Files may have no descriptor any more; here every second slot is empty:
`,
  drybpf(
    `iter ${IO_URING}/files.bpf.s --with io_uring_file=v2 --world ${IO_URING}/eight_files.world.yaml --over io_uring=100/3 --read-size 1`,
  ),
  `The items of an epoll set, told apart by the file operations of what they watch:
`,
  drybpf('iter programs/epoll/items.bpf.s --with epoll=v1 --world programs/epoll/four_ends.world.yaml --over epoll=100/7'),
  `**Which lock, and can it deadlock?** The reviewer asked. The iterator only tries the lock of the ring. A ring that reads the iterator
over itself already holds it, and gets an error instead of a deadlock; another ring reads well:
`,
  drybpf(`${BUFFERS} --with io_uring_buf=v1 --through 100/3`),
  `**Use u32 or u64.** The index was an \`unsigned long\`, of which a program always reads eight bytes. On a kernel of 32 bits the upper half
is what the stack happened to have:
`,
  drybpf(`compare io_uring/index_width --world ${IO_URING}/two_buffers_32.world.yaml --over io_uring=100/3`),
  `**What does the link tell?** The reviewer wanted \`show_fdinfo\` and \`fill_link_info\`. Version 2 tells the inode of the ring:
`,
  drybpf(
    `iter ${IO_URING}/files.bpf.s --with io_uring_file=v2 --world ${IO_URING}/empty_ring.world.yaml --over io_uring=100/3 --link-info`,
  ),
  `Version 2 put those eight bytes into one union with the four bytes of \`map_id\`; nobody on the list remarked on it. The id of a map
moved from byte 28 to byte 32, and tools that were built before would read 0:
`,
  drybpf('compare io_uring/map_id --entry io_uring_buf'),
  `**A stale iterator.** The link keeps the ring alive, an open iterator does not. Read after the link and the ring are closed, it uses
freed memory:
`,
  drybpf(`${BUFFERS} --with io_uring_buf=v2 --close-link`),
  `## Checkpoint and restore of a ring

*Sample of version 2, November 2021, for exposition.* The tool uses these iterators to write an io_uring instance down and to make it
again. A process has two rings, of which the second uses the polling thread of the first:
`,
  drybpf('cr app'),
  `The image of the second ring brings the first one with it:
`,
  piped('cr dump 318 4', 'cr restore --dry-run'),
  `What a restore does, as system calls. The second buffer lies in memory that is not restored yet:
`,
  piped('cr dump 318 4', 'cr restore --strace'),
  `## Open-coded iteration over memory areas

*Review of version 3, August 2023; merged in Linux 6.7, rewritten in 2026.* A program walks the memory areas of a task in a loop of
its own:
`,
  drybpf('run programs/task_vma/walk.bpf.s --world programs/task_vma/three_areas.world.yaml'),
  `**A lock across the walk.** Up to the rewrite the iterator holds \`mmap_lock\` from beginning to end. In this world another thread
replaces the heap after the first area was shown. It had to wait; since 2026 the walk sees the change:
`,
  drybpf('compare task_vma/walk --world programs/task_vma/writer.world.yaml'),
  `**Memory in an NMI.** The reviewer was worried that the iterator allocates, and may fail, where nothing may be waited for. Since 2026 it
does not work there at all:
`,
  drybpf('compare task_vma/walk --world programs/task_vma/nmi_without_memory.world.yaml'),
  `**Which task?** Version 3 took any task, and asked for NULL at run time. Since version 4 the verifier wants one that is trusted or
protected by RCU:
`,
  drybpf('compare task_vma/null_task'),
  `The helper \`bpf_find_vma\`, whose locking the iterator borrowed, became as strict in 2026:
`,
  drybpf('compare find_vma/at_address --world programs/find_vma/two_tasks_interrupts_off.world.yaml'),
  `## Worlds of your own

What a sample says of itself is its test. This is the header of one: \`case\` begins a situation, \`world\`, \`over\`, \`through\`,
\`close_link\` and \`read_size\` say what it is, and what stands behind a \`with\` is expected under those revisions:
`,
  { file: `${RING}/forced_wakeup.bpf.s`, lines: /^\.(section|program|expect)/ },
  drybpf(`selftest ${RING}/forced_wakeup.bpf.s`),
  `A world is a YAML file of tasks with memory and descriptors, rings and what was published in them, locks that others hold, and
allocations that fail; [world.schema.json](world.schema.json) is its schema. \`drybpf snapshot\` writes one from the machine you are on.
`,
];

const FENCE = '```';
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const shown = (args: readonly string[]): string => `drybpf ${args.join(' ')}`;

async function stepText({ args, from }: Step): Promise<string> {
  const input = from === undefined ? undefined : (await runCommandLine(from)).stdout;
  const { status, stdout, stderr } = await runCommandLine(args, input);
  const line = from === undefined ? shown(args) : `${shown(from)} | ${shown(args)}`;
  const exit = status === 0 ? [] : [`(exit status ${status})`];
  const text = new TextDecoder().decode(stdout);
  const answer = [stderr.trimEnd(), text.trimEnd(), ...exit].filter((part) => part !== '');
  return `${FENCE}console\n$ ${line}\n${answer.join('\n').replace(COLOUR, '')}\n${FENCE}\n`;
}

function excerptText({ file, lines }: Excerpt): string {
  const shownLines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => lines.test(line));
  return `${FENCE}\n${shownLines.join('\n')}\n${FENCE}\n`;
}

function partText(part: Part): string | Promise<string> {
  if (typeof part === 'string') return part;
  return 'file' in part ? excerptText(part) : stepText(part);
}

/** The whole page. The working directory has to be the root of the repository. */
export async function seedsPage(): Promise<string> {
  const texts: string[] = [];
  for (const part of PARTS) texts.push(await partText(part));
  return `<!-- Generated by npm run seeds. Do not edit. -->\n${texts.join('\n')}`;
}

export const SEEDS_PAGE = new URL('../docs/seeds.md', import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  writeFileSync(SEEDS_PAGE, await seedsPage());
}
