import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBundledProfile } from '../src/cli/bundled_kernel.ts';
import { assemble, load, Malformed, NO_CAPABILITIES, run, verify } from '../src/index.ts';

const ROOT = join(import.meta.dirname, '..');

describe('the library', () => {
  it('does what the README shows', () => {
    // README
    const profile = openBundledProfile();
    const object = load(readFileSync('programs/c/count_protocols.o'), 'count_protocols.o', { profile });
    const program = object.programs[0]!;

    const { verdict, insnsProcessed } = verify(program, profile);
    expect([verdict, insnsProcessed]).toEqual(['accept', 27]);

    const packet = new Uint8Array(34);
    packet.set([0x08, 0x00, 0x45], 12); // an IPv4 packet
    packet[14 + 9] = 17; // of protocol UDP
    const { returned, maps } = run(program, profile, {
      data: packet,
      maps: { packets: [{ key: [17, 0, 0, 0], value: [41, 0, 0, 0, 0, 0, 0, 0] }] },
    });
    expect(returned).toBe('XDP_PASS');
    expect(maps['packets']![17]!.value![0]).toBe('0x2a');
    // end
    const code = /\/\/ README\n(.*?)\n {4}\/\/ end\n/s.exec(readFileSync(import.meta.filename, 'utf8'))![1]!;
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(code.replace(/^ {4}/gm, ''));
  });

  const profile = openBundledProfile();
  const assembled = (text: string) => assemble(text, 'sample.bpf.s', { profile }).programs[0]!;

  it('gives the keys of the command line', () => {
    const report = verify(assembled('r0 = r2\nexit'), profile, { object: 'sample.bpf.s', logLevel: 1 });
    expect(report).toMatchObject({
      object: 'sample.bpf.s',
      program: 'sample',
      section: 'socket',
      progType: 'socket_filter',
      attachType: null,
      verdict: 'reject',
      errno: 'EACCES',
      message: 'R2 !read_ok',
      insn: 0,
      unmodelled: [],
      insns: 2,
      insnsProcessed: 1,
      totalStates: 0,
      peakStates: 0,
      maxStatesPerInsn: 0,
      stackDepth: '0',
      logTruncated: false,
    });
    expect(report.log).toContain('R2 !read_ok\n');
    expect(report.logTrueSize).toBe(report.log!.length);
  });

  it('hands the log to a sink, and stops at a budget', () => {
    const pieces: string[] = [];
    const program = assembled('r0 = 0\nagain: r0 += 1\nif r0 < 100000 goto again\nexit');
    const report = verify(program, profile, { logLevel: 2, log: (text) => pieces.push(text), budget: 1000 });
    expect(report.verdict).toBe('unknown');
    expect(report.log).toBeUndefined();
    expect(pieces.join('')).toContain('r0 += 1');
  });

  it('keeps the start of a long log', () => {
    const report = verify(assembled('r0 = 0\nexit'), profile, { logLevel: 2, logLimit: 7 });
    expect(report).toMatchObject({ log: 'func#0 ', logTruncated: true });
    expect(report.logTrueSize).toBeGreaterThan(100);
  });

  it('asks for the capabilities that a program needs', () => {
    const program = assembled('.section "xdp"\nr0 = 0\nexit');
    expect(verify(program, profile, { capabilities: NO_CAPABILITIES })).toMatchObject({ verdict: 'reject', errno: 'EPERM' });
  });

  it('says why a program was not loaded', () => {
    expect(verify(assembled('.section "nonsense"\nr0 = 0\nexit'), profile)).toMatchObject({
      verdict: 'not-loaded',
      message: "prog 'sample': missing BPF prog type, check ELF section name 'nonsense'",
    });
  });

  it('goes on in the same machine', () => {
    const program = assembled(`
      .section "xdp"
      .map hits array key_size=4 value_size=8 max_entries=1
      *(u32 *)(r10 -4) = 0
      r2 = r10
      r2 += -4
      r1 = hits ll
      call bpf_map_lookup_elem
      r1 = 1
      r1 = atomic_fetch_add((u64 *)(r0 +0), r1)
      r0 = r1
      exit
    `);
    const { machine } = run(program, profile, { repeat: 3 });
    expect(run(program, profile, { machine }).result).toBe(3n);
    expect(run(program, profile).result).toBe(0n);
  });

  it('refuses content that a map does not take', () => {
    const program = assembled('.map m array key_size=4 value_size=4 max_entries=1\nr1 = m ll\nr0 = 0\nexit');
    const seeded = (content: unknown) => () => run(program, profile, { maps: { m: content } });
    expect(seeded([{ key: [0, 0, 0, 0], value: [1] }])).toThrow(Malformed);
    expect(seeded('text')).toThrow(Malformed);
    expect(seeded([{ key: [1, 0, 0, 0], value: [1, 2, 3, 4] }])).toThrow('E2BIG');
    expect(() => run(program, profile, { maps: { other: [] } })).toThrow("has no map 'other': m");
  });
});
