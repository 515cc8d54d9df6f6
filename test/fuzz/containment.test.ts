import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/asm/assemble.ts';
import { openBundledProfile } from '../../src/cli/bundled_kernel.ts';
import { checkProgram } from '../../src/fuzz/check.ts';
import { FuzzKernel } from '../../src/fuzz/generate/kernel.ts';
import { generateProgram } from '../../src/fuzz/generate/program.ts';
import { UNSOUND_RULES } from '../../src/fuzz/linux_unsound.ts';
import { admitsAddress, admitsBytes, admitsWord } from '../../src/fuzz/oracle/admits.ts';
import { type Arrival, ExploredGraph } from '../../src/fuzz/oracle/explored.ts';
import { runOracles } from '../../src/fuzz/oracle/run.ts';
import { openMachine, tailCallTarget } from '../../src/fuzz/oracle/surroundings.ts';
import { Random } from '../../src/fuzz/random.ts';
import { KERNEL_HIGH } from '../../src/kernel/memory.ts';
import { PROG_FLAGS, type Program } from '../../src/program/program.ts';
import { constImm, constScalar, Scalar, UNKNOWN } from '../../src/verifier/scalar/scalar.ts';
import type { Frame } from '../../src/verifier/state/frame.ts';
import { scalarReg } from '../../src/verifier/state/reg.ts';
import { INVALID_SLOT } from '../../src/verifier/state/stack_slot.ts';
import { verify } from '../../src/verifier/verify.ts';

const profile = openBundledProfile();

const programOf = (text: string): Program =>
  assemble(`.section "xdp"\n.map values array key_size=4 value_size=16 max_entries=2\n.program test\n${text}`, 'test.bpf.s', {
    profile,
  }).programs[0]!;

const explored = (program: Program, prune = true): ExploredGraph => {
  const graph = new ExploredGraph();
  const verdict = verify(program, profile, { observer: graph, prune });
  expect(verdict.message).toBe(null);
  return graph;
};

const runs = (program: Program, graph: ExploredGraph) => runOracles(program, profile, graph, { seed: 5, runs: 6 });

/** Every state of the graph at an instruction. */
const arrivalsAt = (graph: ExploredGraph, insn: number): Arrival[] => {
  const found: Arrival[] = [];
  const walk = (arrival: Arrival): void => {
    if (arrival.insn === insn) found.push(arrival);
    arrival.next.forEach(walk);
  };
  graph.roots.forEach(walk);
  return found;
};

const BRANCHES = `
call bpf_get_prandom_u32
r6 = r0
r6 &= 7
*(u64 *)(r10 -8) = r6
if r6 > 3 goto more
r6 += 1
more:
r7 = *(u64 *)(r10 -8)
r7 += r6
r0 = 2
exit`;

describe('a word', () => {
  it('is admitted when no bound and no bit speaks against it', () => {
    expect(admitsWord(UNKNOWN, -1, 5)).toBe(true);
    expect(admitsWord(constScalar(7, 1), 7, 1)).toBe(true);
    expect(admitsWord(constScalar(7, 1), 7, 0)).toBe(false);
    const even = new Scalar(0, 0, 14, 0, 0, 0, 14, 0, 0, 0, 14, 0, 0, 14, 0, 14);
    expect([0, 2, 14].map((lo) => admitsWord(even, lo, 0))).toEqual([true, true, true]);
    expect([1, 16, -2].map((lo) => admitsWord(even, lo, lo >> 31))).toEqual([false, false, false]);
    const only32 = new Scalar(0, 0, -1, -1, 0, -0x80000000, -1, 0x7fffffff, 0, 0, -1, -1, -5, 5, 0, -1);
    expect([admitsWord(only32, 6, 0), admitsWord(only32, -5, 9)]).toEqual([false, true]);
  });
  it('stored narrowly is held against its low bytes', () => {
    expect(admitsBytes(constImm(0x1234), 0x34, 1)).toBe(true);
    expect(admitsBytes(constImm(0x1234), 0x35, 1)).toBe(false);
    expect(admitsBytes(constImm(-1), -1, 4)).toBe(true);
  });
  it('is an address when base and offsets lead there', () => {
    expect(admitsAddress(constImm(0), 0x1000, -8, 0xff8, KERNEL_HIGH)).toBe(true);
    expect(admitsAddress(constImm(0), 0x1000, -8, 0xff8, 0)).toBe(false);
    expect(admitsAddress(constImm(-16), 0x1000, 0, 0xff0, KERNEL_HIGH)).toBe(true);
  });
});

describe('containment', () => {
  it('goes on from what was split off at the state that covers a path', () => {
    // r0 is 0 or -1: its AND is explored for either, and the way over the jump is covered by the state before both
    const text = `.section "cgroup_skb/egress"
      .program test
      r6 = r1
      call bpf_get_prandom_u32
      w0 s>>= 31
      r8 = *(u32 *)(r6 +76)
      r1 = *(u32 *)(r6 +80)
      r5 = r8
      r5 += 1
      if r5 > r1 goto out
      out:
      r0 &= 1
      exit`;
    const [program] = assemble(text, 'test.bpf.s', { profile }).programs;
    const { findings } = runOracles(program!, profile, explored(program!), { seed: 1, runs: 100 });
    expect(findings).toEqual([]);
  });

  it('finds nothing where the verifier is right', () => {
    const program = programOf(BRANCHES);
    for (const prune of [true, false]) {
      const result = runs(program, explored(program, prune));
      expect(result.findings).toEqual([]);
      expect(result.checked).toBe(result.instructions);
      expect(result.runs).toBe(6);
    }
  });

  it('follows a pointer that is moved out of guest memory and back', () => {
    const moved = programOf(`
      r1 = values ll
      r2 = r10
      r2 += -4
      *(u32 *)(r10 -4) = 0
      call bpf_map_lookup_elem
      if r0 == 0 goto out
      r2 = 0x15f0cb78
      r0 -= r2
      r0 += r2
      r0 = *(u32 *)(r0 +0)
      out: r0 = 2
      exit`);
    expect(runs(moved, explored(moved)).findings).toEqual([]);
  });

  it('takes a store into a dynptr for a write of all of it', () => {
    const program = assemble(
      `.license "GPL"
       .map values array key_size=4 value_size=32 max_entries=4
       .section "tc"
       .program test
       r2 = 0
       r3 = r10
       r3 += -48
       call bpf_dynptr_from_skb
       r1 = r10
       r1 += -48
       call bpf_dynptr_is_rdonly
       *(u32 *)(r10 -32) = 0
       *(u32 *)(r10 -28) = 0
       call bpf_ktime_get_ns
       r9 = r0
       if r9 s> 0x0 goto more
       goto more
       more: r0 >>= r9
       w9 += 0
       if w9 < 0x0 goto more
       *(u32 *)(r10 -40) = 0
       r2 = r10
       r2 += -37
       r1 = values ll
       call bpf_map_lookup_elem
       exit`,
      'test.bpf.s',
      { profile },
    ).programs[0]!;
    expect(checkProgram(program, new FuzzKernel(profile), { oracles: ['containment'] }).findings).toEqual([]);
  });

  it('finds a register outside of every state', () => {
    const program = programOf(BRANCHES);
    const graph = explored(program);
    for (const arrival of arrivalsAt(graph, 7)) (arrival.frames[0]!.regs as unknown[])[6] = scalarReg(constImm(100));
    const [finding] = runs(program, graph).findings;
    expect(finding).toMatchObject({ oracle: 'containment', insn: 7 });
    expect(finding?.message).toMatch(/^r6 is 0x\w+, not 100/);
  });

  it('finds a stack slot outside of every state', () => {
    const program = programOf(BRANCHES);
    const graph = explored(program);
    for (const { frames } of arrivalsAt(graph, 5)) {
      const [slot] = frames[0]!.slots;
      (frames[0]!.slots as unknown[])[0] = Object.assign(Object.create(Object.getPrototypeOf(slot)), slot, {
        reg: scalarReg(constImm(9)),
      });
    }
    const messages = [1, 2, 3, 4].map((seed) => runOracles(program, profile, graph, { seed, runs: 3 }).findings[0]?.message);
    expect(messages.find((message) => message !== undefined)).toMatch(/^stack slot -8 of frame 0 holds 0x\w, not 9/);
  });

  it('finds a way that was not explored', () => {
    const program = programOf('call bpf_get_prandom_u32\nr0 &= 1\nif r0 == 0 goto out\nr0 = 2\nout:\nexit');
    const graph = explored(program, false);
    const [jump] = arrivalsAt(graph, 2);
    jump!.next.splice(0);
    expect(runs(program, graph).findings[0]).toMatchObject({ message: 'no explored state leads from instruction 2 to here' });
  });

  it('finds a register that is read although the state that covers the path holds it dead', () => {
    const program = { ...programOf(DEAD_READ), flags: PROG_FLAGS.BPF_F_TEST_STATE_FREQ };
    const graph = explored(program);
    const covers = arrivalsAt(graph, 7).flatMap(({ cover }) => (cover === null ? [] : [cover]));
    expect(covers).not.toEqual([]);
    expect(runs(program, graph).findings).toEqual([]);
    for (const cover of covers) (cover.liveRegs as number[])[0]! &= ~(1 << 7);
    const messages = [1, 2, 3, 4, 5, 6].map(
      (seed) => runOracles(program, profile, graph, { seed, runs: 4 }).findings[0]?.message,
    );
    expect(messages).toContain('reads r7, which is dead in the state that covers the path');
  });

  it('finds a stack slot that is read although the state that covers the path holds it dead', () => {
    const program = { ...programOf(DEAD_SLOT_READ), flags: PROG_FLAGS.BPF_F_TEST_STATE_FREQ };
    const graph = explored(program);
    const covers = arrivalsAt(graph, 7).flatMap(({ cover }) => (cover === null ? [] : [cover]));
    expect(covers).not.toEqual([]);
    const messages = () =>
      [1, 2, 3, 4, 5, 6].map((seed) => runOracles(program, profile, graph, { seed, runs: 4 }).findings[0]?.message);
    expect(messages()).toEqual(new Array(6).fill(undefined));
    for (const cover of covers) (cover.state.frames[0] as Frame).setSlot(0, INVALID_SLOT);
    expect(messages()).toContain('reads a stack slot that is dead in the state that covers the path');
  });

  it('follows calls, callbacks, map values and packets of generated programs', () => {
    const kernel = new FuzzKernel(profile);
    let checked = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const program = generateProgram(kernel, seed, { size: 20, features: FEATURES });
      const graph = new ExploredGraph();
      const verdict = verify(program, profile, { observer: graph, budget: 10_000 });
      if (verdict.verdict !== 'accept') continue;
      const result = runOracles(program, profile, graph, { seed, runs: 2, loaded: verdict.loaded });
      expect(result.findings, `seed ${seed}`).toEqual([]);
      checked += result.checked;
    }
    expect(checked).toBeGreaterThan(3000);
  });
});

const FEATURES = { alu: 5, branch: 5, loop: 2, stack: 4, map: 4, packet: 3, subprogram: 3, callback: 2, atomic: 1, pointer: 3 };

/** Both ways meet at instruction 7 in the same state. */
const DEAD_READ = `
call bpf_get_prandom_u32
r7 = 1
r0 &= 1
if r0 == 0 goto other
r6 = 2
goto join
other:
r6 = 2
join:
r0 = r7
exit`;

const DEAD_SLOT_READ = DEAD_READ.replace('r7 = 1', '*(u64 *)(r10 - 8) = 1').replace('r0 = r7', 'r0 = *(u64 *)(r10 - 8)');

describe('a run', () => {
  const judged = (text: string) => {
    const program = assemble(text, 'test.bpf.s', { profile }).programs[0]!;
    return { program, verdict: verify(program, profile) };
  };

  it('gets a context as large as what the program reads of it', () => {
    const { program, verdict } = judged('.section "tracepoint"\n.program test\nr0 = *(u64 *)(r1 + 2000)\nexit');
    expect(verdict.loaded?.contextAccess).toBe(2008);
    expect(runOracles(program, profile, null, { seed: 1, runs: 2, loaded: verdict.loaded })).toMatchObject({
      findings: [],
      runs: 2,
    });
  });
  it('gets objects for the arguments of a function of the kernel', () => {
    const { program, verdict } = judged(
      '.section "tp_btf/sched_switch"\n.program test\nr6 = *(u64 *)(r1 + 8)\nr0 = *(u32 *)(r6 + 0)\nexit',
    );
    expect(verdict.verdict).toBe('accept');
    const result = runOracles(program, profile, explored(program), { seed: 1, runs: 2, loaded: verdict.loaded });
    expect(result).toMatchObject({ findings: [], runs: 2, unmodelled: null });
  });
  it('gets the buffer of a writable tracepoint', () => {
    const { program, verdict } = judged(
      '.section "raw_tp.w/nbd_send_request"\n.program test\nr6 = *(u64 *)(r1 + 0)\n*(u32 *)(r6 + 300) = 1\nr0 = 0\nexit',
    );
    expect(verdict.loaded?.tracepointAccess).toBe(304);
    expect(runOracles(program, profile, null, { seed: 1, runs: 2, loaded: verdict.loaded }).findings).toEqual([]);
  });
  it('goes on in the caller of a function that ends with a tail call', () => {
    const program = assemble(
      '.c { struct xdp_md; }\n.map programs prog_array key_size=4 value_size=4 max_entries=4\n.section "xdp"\n' +
        '.program "int test(struct xdp_md *ctx)"\ncall f\nr0 = 0\nexit\n' +
        '.func "static int f(struct xdp_md *ctx)"\nr2 = programs ll\nr3 = 1\ncall bpf_tail_call\nr0 = 0\nexit',
      'test.bpf.s',
      { profile },
    ).programs[0]!;
    const graph = explored(program);
    const findings = () =>
      [1, 2, 3, 4, 5, 6].flatMap((seed) => runOracles(program, profile, graph, { seed, runs: 1 }).findings.map((f) => f.message));
    expect(findings()).toEqual([]);
    const call = program.insns.findIndex(({ imm }, at) => imm === 12 && program.insns[at]!.code === 0x85);
    for (const arrival of arrivalsAt(graph, call)) {
      for (let i = arrival.next.length - 1; i >= 0; i--) if (arrival.next[i]!.frames.length === 1) arrival.next.splice(i, 1);
    }
    expect(new Set(findings())).toEqual(new Set([`no explored state leads from instruction ${call} to here`]));
  });
  it.each(['xdp', 'tc', 'cgroup_skb/egress', 'tracepoint', 'socket'])('has accepted programs to call: %s', (section) => {
    const program = assemble(`.section "${section}"\n.program test\nr0 = 0\nexit`, 'test.bpf.s', { profile }).programs[0]!;
    const machine = openMachine(profile, 1, false);
    for (let seed = 0; seed < 8; seed++) {
      expect(verify(tailCallTarget(new Random(seed), machine, program), profile).message).toBe(null);
    }
    machine.memory.release();
  });
  it('leaks what it reserves and does not give back', () => {
    const { program } = judged(
      '.map ring ringbuf max_entries=4096\n.section "xdp"\n.program test\nr1 = ring ll\nr2 = 8\nr3 = 0\ncall bpf_ringbuf_reserve\nr0 = 0\nexit',
    );
    expect(runOracles(program, profile, null, { seed: 1, runs: 1 }).findings).toMatchObject([
      { oracle: 'fault', message: 'leak: 1 ring buffer records were never given back' },
    ]);
  });
  it('is followed into what catches an exception', () => {
    const text = readFileSync(join(import.meta.dirname, '../../programs/objects/exception_caught.bpf.s'), 'utf8');
    const checked = checkProgram(assemble(text, 'test.bpf.s', { profile }).programs[0]!, new FuzzKernel(profile));
    expect(checked).toMatchObject({ findings: [], unmodelled: null, runs: 2 });
  });
  it.each([
    ['objects/iterator_at_frame_top', 0],
    ['pruning/atomic_fetch', 1],
    ['subprograms/null_for_nonnull', UNSOUND_RULES.length - 1],
  ] as const)('of %s goes wrong by a rule of Linux and is told apart', (name, rule) => {
    const text = readFileSync(join(import.meta.dirname, `../../programs/${name}.bpf.s`), 'utf8');
    const checked = checkProgram(assemble(text, 'test.bpf.s', { profile }).programs[0]!, new FuzzKernel(profile));
    expect(checked.findings).toEqual([]);
    expect(checked.unsound).toEqual([UNSOUND_RULES[rule]!.rule]);
  });
});
