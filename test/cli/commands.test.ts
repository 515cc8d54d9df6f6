import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drybpf, useBuiltCommand } from './drybpf.ts';

useBuiltCommand();

let folder = '';
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drybpf-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = 'programs/control_flow/straight_line.bpf.s';
const BAD = 'programs/context/beyond_the_end.bpf.s';
const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe.concurrent('verify', () => {
  it('answers 0 for a program that Linux takes', async () => {
    const { status, stdout, stderr } = await drybpf(['verify', GOOD]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${GOOD}/straight_line [socket]: accept\n`);
  });

  it('answers 1 for one that it refuses, with its words', async () => {
    const { status, stdout } = await drybpf(['verify', BAD]);
    expect(status).toBe(1);
    expect(stdout).toContain(': reject EACCES at insn 0: invalid bpf_context access off=1000 size=4\n');
  });

  it('answers the worst of several, and 2 for input that it cannot read', async () => {
    const { status, stdout, stderr } = await drybpf(['verify', '--format', 'json', GOOD, file('broken.o', '\x7fELF'), BAD]);
    expect(status).toBe(2);
    expect(lines(stdout)).toMatchObject([{ verdict: 'accept' }, { verdict: 'reject' }]);
    expect(stderr).toMatch(/^drybpf: .*broken\.o: .*$/m);
  });

  it('prints a JSON object a line with the keys that scripts rely on', async () => {
    const { stdout } = await drybpf(['verify', '--format', 'json', '--log-level', '2', '--log-limit', '10', GOOD]);
    const [report] = lines(stdout) as Record<string, unknown>[];
    expect(report).toMatchObject({
      object: GOOD,
      program: 'straight_line',
      section: 'socket',
      progType: 'socket_filter',
      attachType: null,
      verdict: 'accept',
      errno: null,
      message: null,
      insn: null,
      unmodelled: [],
      insns: 2,
      insnsProcessed: 2,
      totalStates: 0,
      peakStates: 0,
      maxStatesPerInsn: 0,
      stackDepth: '0',
      log: 'func#0 @0\n',
      logTruncated: true,
    });
    for (const key of ['durationUs', 'coldUs', 'logTrueSize']) expect(report![key]).toBeTypeOf('number');
  });

  it('walks directories and filters programs', async () => {
    const args = [
      'verify',
      '--format',
      'csv',
      '-e',
      'prog,verdict',
      '-s',
      'prog^',
      '-f',
      '/spill*',
      '-f',
      '!/*fill',
      'programs/stack',
    ];
    expect((await drybpf(args)).stdout).toBe('prog_name,verdict\n');
    expect((await drybpf([...args.slice(0, 9), 'programs/stack'])).stdout).toBe('prog_name,verdict\nspill_and_fill,success\n');
  });

  it('streams a text log, and the statistics', async () => {
    const { stdout } = await drybpf(['verify', '-l', '6', GOOD]);
    expect(stdout).toMatch(/\n0: \(b7\) r0 = 0 .*\n1: \(95\) exit\nverification time \d+ usec\nstack depth 0\nprocessed 2 insns/);
  });

  it('reads bytecode from standard input', async () => {
    const { status, stdout } = await drybpf(['verify', '--section', 'xdp', '-'], 'b700000002000000\n9500000000000000\n');
    expect([status, stdout]).toEqual([0, expect.stringContaining('-/prog [xdp]: accept')]);
  });

  it('takes presets for globals', async () => {
    const object = 'programs/c/rate_limit.o';
    expect((await drybpf(['verify', '-G', 'limit = 7', object])).status).toBe(0);
    const { status, stderr } = await drybpf(['verify', '-G', 'nonsense = 7', object]);
    expect([status, stderr]).toEqual([2, `drybpf: ${object}: preset 'nonsense = 7': there is no global variable nonsense\n`]);
  });

  it('refuses without capabilities', async () => {
    const { stdout } = await drybpf(['verify', '--format', 'json', '--cap', 'none', 'programs/packets/checked_header.bpf.s']);
    expect(lines(stdout)).toMatchObject([{ verdict: 'reject', errno: 'EPERM' }]);
  });

  it.each([
    [['--kernel', 'linux-5.4', GOOD], "no kernel 'linux-5.4': linux-6.18"],
    [['--with', 'task_vma=v9', GOOD], "task_vma has no revision 'v9'"],
    [['--with', 'nonsense=v1', GOOD], "no entry 'nonsense' has revisions"],
    [['--log-level', '8', GOOD], 'A number from 0 to 7'],
    [['--cap', 'root', GOOD], "There is no 'root'"],
    [['--prog-flags', 'FAST', GOOD], "There is no flag 'FAST'"],
    [['--target', 'nonsense', GOOD], "--target is OBJECT:FUNC, not 'nonsense'"],
    [['no/such/file.o'], 'no/such/file.o: no such file'],
    [['--against-kernel', 'no/such/file.o'], 'no/such/file.o: no such file'],
    [['--format', 'csv', '-e', 'nonsense', GOOD], "there is no column 'nonsense'"],
    [['--prog', 'other', GOOD], 'no program matches'],
    [['--format', 'xml', GOOD], 'Allowed choices'],
    [['--nonsense', GOOD], "unknown option '--nonsense'"],
    [[], "missing required argument 'file'"],
  ])('answers 2 for a bad question: %j', async (args, message) => {
    const { status, stderr } = await drybpf(['verify', ...args]);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('shows where a text program is wrong', async () => {
    const { status, stderr } = await drybpf(['verify', file('wrong.bpf.s', 'r0 = 0\nr1 == 2\nexit\n')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/wrong\.bpf\.s:2:\d+: .*\n {4}r1 == 2\n +\^\n/);
  });
});

describe.concurrent('run', () => {
  const COUNT = 'programs/c/count_protocols.o';
  const UDP = '00000000000000000000000008004500000000000000001100000000000000000000';

  it('gives the result by name and the maps', async () => {
    const seed = file('packets.json', JSON.stringify([{ key: ['0x11', '0', '0', '0'], value: [9, 0, 0, 0, 0, 0, 0, 0] }]));
    const { status, stdout } = await drybpf(['run', COUNT, '--data', UDP, '--map', `packets=${seed}`, '--format', 'json']);
    expect(status).toBe(0);
    const [report] = lines(stdout) as [{ maps: { packets: { value: string[] }[] } }];
    expect(report).toMatchObject({ returned: 'XDP_PASS', retval: 2, fault: null, data: UDP });
    expect(report.maps.packets[0x11]!.value[0]).toBe('0x0a');
  });

  it('does not run what is refused, unless told to', async () => {
    expect((await drybpf(['run', 'programs/c/forgotten_check.o'])).status).toBe(1);
    const { status, stdout } = await drybpf(['run', '--unverified', '--data', UDP, 'programs/c/forgotten_check.o']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('returned 2 (XDP_PASS)')]);
  });

  it('stops at a fault, which the machine finds without the verifier', async () => {
    const { status, stdout } = await drybpf(['run', '--unverified', 'programs/map_values/constant_key_outside.bpf.s']);
    expect([status, stdout]).toEqual([1, expect.stringContaining(': fault null at insn ')]);
  });

  it('traces', async () => {
    const { stdout } = await drybpf(['run', '--trace', 'programs/stack/spill_and_fill.bpf.s']);
    expect(stdout).toMatch(/ 0: r1 = 7\n +r1=0x7\n +1: \*\(u64 \*\)\(r10 -8\) = r1\n/);
  });

  it('repeats on the same maps', async () => {
    const { stdout } = await drybpf(['run', COUNT, '--data', UDP, '--repeat', '3']);
    expect(stdout).toContain('11 00 00 00 → 03 00 00 00');
  });

  it('wants one program', async () => {
    const { status, stderr } = await drybpf(['run', 'test/elf/fixtures/calls.o']);
    expect([status, stderr]).toEqual([2, expect.stringContaining('choose one program with --prog: alone, chain')]);
  });
});

describe.concurrent('run under a revision that is unsound', () => {
  it('names the reason of a fault', async () => {
    const { status, stdout, stderr } = await drybpf([
      ...['run', 'programs/user_ringbuf/reinitialised.bpf.s', '--with', 'dynptr-callback=v3'],
      ...['--world', 'programs/user_ringbuf/one_sample.world.yaml'],
    ]);
    expect([status, stdout.split('\n')[0]!.slice(0, 96)]).toEqual([
      1,
      'programs/user_ringbuf/reinitialised.bpf.s/drain [raw_tp/sys_enter]: fault read-only at insn 21: ',
    ]);
    expect(stderr).toContain('unsound: the dynptr of a sample can be initialised again');
  });
});

describe.concurrent('compare', () => {
  it('prints a sample under every revision of an entry', async () => {
    const { status, stdout, stderr } = await drybpf(['compare', 'user_ringbuf/forced_wakeup']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('user_ringbuf/forced_wakeup/forced: user_ringbuf_drain\n');
    expect(stdout).toContain('* result               -22 (EINVAL)  1\n');
  });

  it('takes a path, a world and an entry, and prints JSON', async () => {
    const args = ['--format', 'json', '--entry', 'find_vma', '--world', 'programs/find_vma/two_tasks_interrupts_off.world.yaml'];
    const { status, stdout } = await drybpf(['compare', 'programs/find_vma/at_address.bpf.s', ...args]);
    expect(status).toBe(0);
    const [comparison] = lines(stdout) as { scenes: { runs: { result: string }[] }[] }[];
    expect(comparison!.scenes[0]!.runs.map(({ result }) => result)).toEqual(['0', '-16 (EBUSY)']);
  });

  it.each([
    [['nothing'], /no file and no sample 'nothing'; samples are .*user_ringbuf\/drain/],
    [['user_ringbuf/drain', '--entry', 'x'], /no entry 'x' has revisions/],
    [['programs/c/callback.o'], /only text programs can be read anew/],
    [['user_ringbuf/drain', '--world', 'nowhere.yaml'], /nowhere\.yaml: no such file/],
    [['io_uring/buffers', '--over', 'x=1'], /what is walked is KEY=VALUE/],
  ])('%s is a bad question', async (args, message) => {
    const { status, stderr } = await drybpf(['compare', ...args]);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe.concurrent('iter', () => {
  const buffers = [
    ...['iter', 'programs/io_uring/buffers.bpf.s', '--with', 'io_uring_buf=v2', '--with', 'page_to_pfn=v1'],
    ...['--world', 'programs/io_uring/eight_buffers.world.yaml', '--over', 'io_uring=100/3'],
  ];

  it('tells of the link on standard error', async () => {
    const { status, stdout, stderr } = await drybpf([...buffers, '--link-info']);
    expect([status, stdout.slice(0, 2)]).toEqual([0, 'B\n']);
    expect(stderr).toContain('target_name:\tio_uring_buf\n');
  });

  it('lets a ring read the iterator over itself', async () => {
    const { status, stderr } = await drybpf([...buffers, '--through', '100/3']);
    expect([status, stderr]).toEqual([1, 'drybpf: programs/io_uring/buffers.bpf.s/dump_buffers: read: EDEADLK\n']);
  });

  it('reports what outlives its link, and why that was to be expected', async () => {
    const { status, stderr } = await drybpf([...buffers, '--close-link']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/: fault use-after-free: a freed io_ring_ctx .*\n.*: unsound: an iterator that is read after/);
  });
});

describe.concurrent('the other commands', () => {
  it('asm and disasm undo each other', async () => {
    const hex = (await drybpf(['asm', 'programs/loops/bounded.bpf.s'])).stdout;
    expect(hex).toBe('b700000000000000\n0700000001000000\na500feff0a000000\n9500000000000000\n');
    const { stdout } = await drybpf(['disasm', '-'], hex);
    expect((await drybpf(['asm', '-'], stdout)).stdout).toBe(hex);
  });

  it('inspect shows programs, maps and types', async () => {
    const { stdout } = await drybpf(['inspect', '--types', 'programs/c/rate_limit.o']);
    expect(stdout).toContain('  rate_limit [xdp]: xdp, xdp, ');
    expect(stdout).toContain('  buckets: hash, key 4 (u32), value 16 (struct bucket), 1024 entries\n');
    expect(stdout).toContain('struct bucket {\n\tu64 second;\n');
  });

  it('selftest says whether programs keep their word', async () => {
    const wrong = file('wrong.bpf.s', '.expect verdict reject\nr0 = 0\nexit\n');
    const { status, stdout } = await drybpf(['selftest', GOOD, wrong]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^pass .*straight_line\nfail .*wrong: reject was expected, but the verdict is accept\n/);
  });

  it('explain tells what is known of a word, or of a message', async () => {
    const helper = await drybpf(['explain', 'bpf_get_numa_node_id']);
    expect([helper.status, helper.stdout]).toEqual([0, expect.stringContaining('  number     42\n')]);
    const message = await drybpf(['explain', '--format', 'json', "R3 invalid mem access 'map_value_or_null'"]);
    expect(lines(message.stdout)[0]).toMatchObject({
      kind: 'message',
      facts: expect.arrayContaining([['programs/map_values/missing_null_check.bpf.s', 'A look-up may fail.']]),
    });
    const unknown = await drybpf(['explain', 'ringbuf_res']);
    expect([unknown.status, unknown.stderr]).toEqual([
      2,
      "drybpf: nothing is known of 'ringbuf_res'; there is bpf_ringbuf_reserve, bpf_ringbuf_reserve_dynptr\n",
    ]);
  });

  it('conformance is a plugin of the public runner', async () => {
    const program = '61 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00';
    expect(await drybpf(['conformance', '01 02 03 04'], program)).toMatchObject({ status: 0, stdout: '4030201\n', stderr: '' });
    const { status, stderr } = await drybpf(['conformance'], 'ff 00 00 00 00 00 00 00');
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
  });

  it('completion knows every command and option', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { status, stdout } = await drybpf(['completion', shell]);
      expect(status).toBe(0);
      for (const word of ['verify', 'selftest', 'log-level', 'prog-array']) expect(stdout).toContain(word);
    }
  });

  it('the version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await drybpf(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
  });
});
