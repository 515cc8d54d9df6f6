import { describe, expect, test } from 'vitest';
import type { ContextAnswer, ContextQuery } from '../../src/contracts/prog_type.ts';
import { NO_CAPABILITIES, type Subject } from '../../src/contracts/subject.ts';
import type { RegBase, RegTypeWords } from '../../src/contracts/type_words.ts';
import { PROG_TYPES, PROG_TYPES_BY_NAME, pointerStructAccess } from '../../src/progtypes/index.ts';
import facts from './context_access.linux_6_18.json' with { type: 'json' };
import { subjectOf } from './subjects.ts';

const SIZES = [1, 2, 4, 8];
/** `[size, register, offsets]` and `[size, offsets]`; offsets as `0-12/4,20` */
type ReadCells = [number, string, string][];
type WriteCells = [number, string][];

function* offsets(text: string): Generator<number> {
  for (const part of text.split(',')) {
    const [, first, last, step] = /^(\d+)(?:-(\d+)(?:\/(\d+))?)?$/.exec(part)!;
    for (let off = Number(first); off <= Number(last ?? first); off += Number(step ?? 1)) yield off;
  }
}

const REG_TEXT: Record<string, string> = {
  SCALAR_VALUE: 'scalar',
  PTR_TO_PACKET: 'pkt',
  PTR_TO_PACKET_END: 'pkt_end',
  PTR_TO_PACKET_META: 'pkt_meta',
  PTR_TO_SOCKET: 'sock',
  PTR_TO_SOCK_COMMON: 'sock_common',
  PTR_TO_FLOW_KEYS: 'flow_keys',
  PTR_TO_TP_BUFFER: 'tp_buffer',
  PTR_TO_BTF_ID: 'ptr_',
};

function regText(reg: RegTypeWords, btfType: string | undefined): string {
  const trusted = reg.flags?.includes('PTR_TRUSTED') ? 'trusted_' : '';
  const orNull = reg.flags?.includes('PTR_MAYBE_NULL') ? '_or_null' : '';
  return `${trusted}${REG_TEXT[reg.base]}${btfType ?? ''}${orNull}`;
}

function cellsOf(read: ReadCells, write: WriteCells): Map<string, string> {
  const cells = new Map<string, string>();
  for (const [size, reg, text] of read) for (const off of offsets(text)) cells.set(`read ${size} at ${off}`, reg);
  for (const [size, text] of write) for (const off of offsets(text)) cells.set(`write ${size} at ${off}`, 'scalar');
  return cells;
}

function differences(
  scanned: number,
  recorded: Map<string, string>,
  ask: (query: ContextQuery) => ContextAnswer | null,
): string[] {
  const wrong: string[] = [];
  for (const size of SIZES) {
    for (const write of [false, true]) {
      for (let off = 0; off + size <= scanned; off++) {
        const key = `${write ? 'write' : 'read'} ${size} at ${off}`;
        const answer = ask({ off, size, write, signExtend: false });
        const ours = answer === null ? 'refused' : regText(answer.reg, answer.btfType);
        const kernel = recorded.get(key) ?? 'refused';
        if (ours !== kernel) wrong.push(`${key}: ${ours}, kernel ${kernel}`);
      }
    }
  }
  return wrong;
}

describe('every cell of the context matrices of Linux 6.18', () => {
  const rows = facts.contexts.flatMap((group) => group.contexts.map((context) => [context, group] as const));
  test.each(rows)('%s', (context, group) => {
    const entry = PROG_TYPES.find((progType) => progType.kernelName === group.progType)!;
    const subject = subjectOf(entry.id, context);
    const recorded = cellsOf(group.read as ReadCells, group.write as WriteCells);
    expect(recorded.size).toBeGreaterThan(0);
    expect(differences(group.scanned, recorded, (query) => entry.access(query, subject))).toEqual([]);
  });

  test('the fixture covers every program type with a context of its own', () => {
    const covered = new Set(facts.contexts.map((group) => group.progType));
    const missing = PROG_TYPES.filter((entry) => entry.contextKind !== 'btf-args' && !covered.has(entry.kernelName));
    expect(missing.map((entry) => entry.name)).toEqual(['lirc_mode2']);
  });
});

describe('every cell of the pointer matrices of Linux 6.18', () => {
  test.each(facts.pointers.map((group) => [group.base, group] as const))('%s', (base, group) => {
    // Writes through socket pointers are refused before the table is asked.
    const recorded = cellsOf(group.read as ReadCells, group.write as unknown as WriteCells);
    const ask = (query: ContextQuery) => pointerStructAccess(base as RegBase, query);
    expect(differences(group.scanned, recorded, ask)).toEqual([]);
  });
});

function ask(name: string, subject: Subject | null, query: Partial<ContextQuery>): ContextAnswer | null {
  const entry = PROG_TYPES_BY_NAME.get(name)!;
  return entry.access({ off: 0, size: 4, write: false, signExtend: false, ...query }, subject ?? subjectOf(entry.id, ''));
}

describe('what the matrices do not show', () => {
  test.each([
    ['xdp data', 'xdp', 0],
    ['xdp data_end', 'xdp', 4],
    ['xdp data_meta', 'xdp', 8],
    ['tc data', 'sched_cls', 76],
    ['tc data_meta', 'sched_cls', 140],
    ['cgroup_skb data_end', 'cgroup_skb', 80],
    ['flow_dissector data', 'flow_dissector', 76],
  ])('a sign-extending load of %s is refused', (_title, name, off) => {
    expect(ask(name, null, { off })).not.toBeNull();
    expect(ask(name, null, { off, signExtend: true })).toBeNull();
  });

  test('a sign-extending load of a plain field is permitted', () => {
    expect(ask('xdp', null, { off: 12, signExtend: true })).not.toBeNull();
    expect(ask('sched_cls', null, { off: 8, size: 2, signExtend: true })).not.toBeNull();
  });

  test.each([
    ['a __sk_buff word loaded by a byte', 'sched_cls', { off: 2, size: 1 }, 4],
    ['__sk_buff cb', 'sched_cls', { off: 48, size: 2 }, 0],
    ['__sk_buff tstamp', 'sched_cls', { off: 152, size: 8 }, 0],
    ['an xdp_md word', 'xdp', { off: 12 }, 0],
    ['perf event sample_period', 'perf_event', { off: 168, size: 1 }, 8],
    ['sk_lookup remote_port as a half', 'sk_lookup', { off: 36, size: 2 }, 2],
    ['sk_lookup remote_port as a word', 'sk_lookup', { off: 36, size: 4 }, 0],
    ['kprobe register', 'kprobe', { off: 8, size: 4 }, 0],
  ])('ctx_field_size: %s', (_title, name, query, fieldSize) => {
    expect(ask(name, null, query)?.fieldSize).toBe(fieldSize);
  });

  test.each([
    ['ip6 wide', { off: 8, size: 8 }, 4],
    ['ip6 byte', { off: 9, size: 1 }, 4],
  ])('ctx_field_size of sock_addr: %s', (_title, query, fieldSize) => {
    const subject = subjectOf(18, 'CGROUP_SOCK_ADDR/BPF_CGROUP_INET6_BIND');
    expect(ask('cgroup_sock_addr', subject, query)?.fieldSize).toBe(fieldSize);
  });

  test('dst_port of bpf_sock is 4 bytes wide for a word and 2 for less', () => {
    const query = { off: 48, write: false, signExtend: false };
    expect(pointerStructAccess('PTR_TO_SOCKET', { ...query, size: 4 })?.fieldSize).toBe(4);
    expect(pointerStructAccess('PTR_TO_SOCKET', { ...query, size: 2 })?.fieldSize).toBe(2);
  });

  test('cgroup_skb hides the packet and the time stamp write from a loader without CAP_BPF', () => {
    const subject = subjectOf(8, 'CGROUP_SKB/BPF_CGROUP_INET_INGRESS', NO_CAPABILITIES);
    expect(ask('cgroup_skb', subject, { off: 76 })).toBeNull();
    expect(ask('cgroup_skb', subject, { off: 80 })).toBeNull();
    expect(ask('cgroup_skb', subject, { off: 152, size: 8, write: true })).toBeNull();
    expect(ask('cgroup_skb', subject, { off: 152, size: 8 })).not.toBeNull();
    expect(ask('cgroup_skb', subject, { off: 8, write: true })).not.toBeNull();
  });

  test.each([
    ['tracepoint', 8191, 1, true],
    ['tracepoint', 8192, 1, false],
    ['tracepoint', 0, 8, false],
    ['syscall', 65534, 1, true],
    ['syscall', 65535, 1, false],
    ['xdp', -4, 4, false],
    ['lirc_mode2', 0, 4, true],
    ['lirc_mode2', 0, 2, false],
  ])('%s: a load at %i of %i bytes is permitted: %s', (name, off, size, permitted) => {
    expect(ask(name, null, { off, size }) !== null).toBe(permitted);
  });
});
