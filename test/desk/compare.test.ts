import { describe, expect, it } from 'vitest';
import { Malformed } from '../../src/contracts/errors.ts';
import { type CompareOptions, type Comparison, compare } from '../../src/desk/compare.ts';
import { comparedRows, comparisonJson, comparisonText } from '../../src/desk/compare_text.ts';
import { PLAIN } from '../../src/report/verdict_text.ts';
import { profile, sourceOf } from '../samples.ts';

const known = new Map<string, readonly Comparison[]>();

function compared(name: string, options?: CompareOptions): readonly Comparison[] {
  if (options !== undefined) return compare(sourceOf(`${name}.bpf.s`), profile, options);
  const comparisons = known.get(name) ?? compare(sourceOf(`${name}.bpf.s`), profile);
  known.set(name, comparisons);
  return comparisons;
}

/** What differs in a scene: `ROW: CELL | CELL`. */
function differences(comparison: Comparison, scene: string): string[] {
  const found = comparison.scenes.find(({ name }) => name === scene)!;
  return comparedRows(found)
    .filter(({ differs }) => differs)
    .map(({ name, cells }) => `${name}: ${cells.join(' | ')}`);
}

const revisionsOf = ({ columns }: Comparison): string[] => columns.map(({ revisions }) => revisions.join());

describe('a sample under every revision', () => {
  it('of the entry that its cases name', () => {
    const [drain, ...more] = compared('user_ringbuf/drain');
    expect([more, drain!.entry.name, revisionsOf(drain!)]).toEqual([
      [],
      'user_ringbuf_drain',
      ['user_ringbuf_drain=v3', 'user_ringbuf_drain=6.1'],
    ]);
    expect(differences(drain!, 'a sample of twelve bytes')).toEqual([
      'result: -22 (EINVAL) | 1',
      'printk:  | 12 bytes',
      'wakeups of samples: 0 | 1',
      'consumer of samples: 0 | 24',
    ]);
    expect(differences(drain!, 'a ring that was full to the last byte')).toEqual(['wakeups of samples: 2 | 1']);
    expect(differences(drain!, 'nothing was published')).toEqual([]);
  });

  it('with what else it needs', () => {
    const [buffers] = compared('io_uring/buffers');
    expect(revisionsOf(buffers!)).toEqual(['page_to_pfn=v1,io_uring_buf=v1', 'page_to_pfn=v1,io_uring_buf=v2']);
    const scene = buffers!.scenes.find(({ name }) => name === 'a ring whose lock is held')!;
    expect(scene.seen.map(({ readError }) => readError)).toEqual(['EDEADLK', 'EDEADLK']);
  });

  it('of an entry that is asked for', () => {
    const [callbacks] = compared('user_ringbuf/drain', { entries: ['callbacks'] });
    expect(callbacks!.entry.name).toBe('callbacks');
    expect(callbacks!.scenes[0]!.seen.map(({ verdict }) => verdict)).toEqual(['accept', 'accept']);
  });

  it('of the entries that the program uses, where no case names any', () => {
    const source = sourceOf('task_vma/walk.bpf.s');
    const text = source.text.replace(/^\.expect .*\n/gm, '');
    const [walk] = compare({ ...source, text }, profile);
    expect(revisionsOf(walk!)).toEqual(['task_vma=v3', 'task_vma=6.7', 'task_vma=2026']);
    expect(walk!.scenes.map(({ name }) => name)).toEqual(['an empty world']);
    expect(walk!.scenes[0]!.seen.map(({ step }) => step?.split(':')[0])).toEqual(Array(3).fill('not modelled'));
  });

  it('among objects that are given', () => {
    const situation = { world: 'locked.world.yaml', over: [], through: null, closesLink: false, readSizes: [] };
    const [walk] = compared('task_vma/walk', { situation });
    expect(differences(walk!, 'locked.world.yaml')).toContain('result: -16 (EBUSY) | -16 (EBUSY) | 2');
  });

  it('with other entries as they are wanted', () => {
    const [drain] = compared('user_ringbuf/reinitialised', {
      entries: ['user_ringbuf_drain'],
      revisions: ['dynptr-callback=v3', 'user_ringbuf_drain=v3'],
    });
    expect(revisionsOf(drain!)).toEqual([
      'dynptr-callback=v3,user_ringbuf_drain=v3',
      'dynptr-callback=v3,user_ringbuf_drain=6.1',
    ]);
    expect(drain!.scenes[0]!.seen.map(({ verdict, fault }) => [verdict, fault?.split(':')[0]])).toEqual([
      ['accept', 'read-only'],
      ['accept', 'read-only'],
    ]);
  });
});

describe('the remarks of the reviewers', () => {
  const [EBUSY, ENOMEM] = ['-16 (EBUSY)', '-12 (ENOMEM)'];

  it.each([
    [
      'an unbounded loop over discarded samples',
      'user_ringbuf/unbounded',
      '131073 discarded samples',
      'consumer of samples: 2097168 | 2097152',
    ],
    ['EINVAL or E2BIG', 'user_ringbuf/drain', 'a sample larger than the ring', 'result: -22 (EINVAL) | -7 (E2BIG)'],
    ['a forced wake-up is refused', 'user_ringbuf/forced_wakeup', 'one sample', 'result: -22 (EINVAL) | 1'],
    ['a ring that was full', 'user_ringbuf/drain', 'a ring that was full to the last byte', 'wakeups of samples: 2 | 1'],
    ['an uninitialised dynptr', 'user_ringbuf/reinitialised', 'one sample', 'verdict: accept | reject EINVAL'],
    [
      'an allocation that fails in an NMI',
      'task_vma/walk',
      'an allocation fails in an NMI',
      `result: ${ENOMEM} | ${ENOMEM} | ${EBUSY}`,
    ],
    [
      'a lock that is held across the walk',
      'task_vma/walk',
      'another thread changes areas while the walk is under way',
      /^printk: .*500000-600000 3\n.* \| .*500000-600000 3\n.* \| .*480000-481000 1\n/s,
    ],
    [
      'a task that may be NULL',
      'task_vma/null_task',
      'a task that never woke another',
      'verdict: accept | reject EINVAL | reject EINVAL',
    ],
    [
      'an index as wide as a pointer',
      'io_uring/index_width',
      'a kernel of 32 bits',
      /^output: index 0, above \d+\n.* \| index 0, above 0\n/s,
    ],
    [
      'the id of a map that moves',
      'io_uring/map_id',
      'where the link tells of its map',
      /^link: .*map_id @28 = 1 \| .*map_id @32 = 1$/s,
    ],
    ['what a link tells', 'io_uring/buffers', 'what the link tells', /^link: .* \| .*io_uring_inode: \d+\n/s],
  ])('%s', (_remark, name, scene, expected) => {
    const [comparison] = compared(name);
    const found = differences(comparison!, scene);
    if (typeof expected === 'string') expect(found).toContain(expected);
    else expect(found.some((row) => expected.test(row))).toBe(true);
  });

  it('an iterator that outlives its link is unsound, and says so', () => {
    const [buffers] = compared('io_uring/buffers');
    const { seen } = buffers!.scenes.find(({ name }) => name.startsWith('an iterator that outlives'))!;
    for (const { fault, unsound } of seen) {
      expect(fault).toContain('use-after-free: a freed io_ring_ctx');
      expect(unsound).toEqual(['an iterator that is read after its link was closed uses a ring that may be gone']);
    }
  });
});

describe('a comparison', () => {
  const [drain] = compared('user_ringbuf/forced_wakeup');

  it('is printed side by side, with a star where it differs', () => {
    expect(comparisonText(drain!, PLAIN)).toBe(`programs/user_ringbuf/forced_wakeup.bpf.s/forced: user_ringbuf_drain
  v3            takes the ring sample by sample, steps over discarded ones without limit, refuses BPF_RB_FORCE_WAKEUP
  6.1 (merged)  takes the ring for the whole drain, counts discarded samples, wakes once

nothing was published
                       v3            6.1 (merged)
  verdict              accept        accept
* result               -22 (EINVAL)  0
* wakeups of samples   0             1
  consumer of samples  0             0
  producer of samples  0             0

one sample (one_sample.world.yaml)
                       v3            6.1 (merged)
  verdict              accept        accept
* result               -22 (EINVAL)  1
* wakeups of samples   0             1
* consumer of samples  0             16
  producer of samples  16            16
`);
  });

  it('is JSON for programs', () => {
    const json = JSON.parse(JSON.stringify(comparisonJson(drain!)));
    expect(json).toMatchObject({
      entry: 'user_ringbuf_drain',
      base: '6.1',
      revisions: [
        { name: 'v3', isBase: false, with: ['user_ringbuf_drain=v3'] },
        { name: '6.1', isBase: true },
      ],
      scenes: [
        { name: 'nothing was published', world: null, differs: ['result', 'wakeups of samples'] },
        {
          world: 'one_sample.world.yaml',
          runs: [
            { revision: 'v3', verdict: 'accept', result: '-22 (EINVAL)', rings: { samples: { consumer: 0 } } },
            { revision: '6.1', result: '1', rings: { samples: { consumer: 16, producer: 16, wakeups: 1 } } },
          ],
        },
      ],
    });
  });
});

describe('what cannot be compared', () => {
  it.each([
    [
      'an entry that is none',
      'user_ringbuf/drain',
      { entries: ['nothing'] },
      /no entry 'nothing' has revisions: user_ringbuf_drain/,
    ],
    ['a program that is none', 'user_ringbuf/drain', { program: 'nobody' }, /there is no program 'nobody'/],
    ['a revision that is none', 'user_ringbuf/drain', { revisions: ['task_vma=v9'] }, /task_vma has no revision 'v9'/],
    ['a program that uses nothing that has revisions', 'loops/summing', {}, /uses nothing that has revisions/],
  ])('%s', (_what, name, options, message) => {
    expect(() => compared(name, options)).toThrow(Malformed);
    expect(() => compared(name, options)).toThrow(message);
  });
});
