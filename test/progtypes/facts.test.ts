import { describe, expect, test } from 'vitest';
import { ATTACH_TYPE_NAMES } from '../../src/contracts/attach_types.ts';
import { findSection, PROG_TYPES, PROG_TYPES_BY_ID } from '../../src/progtypes/index.ts';
import facts from './facts.linux_6_18.json' with { type: 'json' };
import { subjectOf } from './subjects.ts';

type SectionFact = [string, boolean, string | null, number | null, string[], boolean];

const sections = facts.progTypes.flatMap((row) =>
  (row.sections as SectionFact[]).map((section) => [section[0], row.id, section] as const),
);

describe('section names', () => {
  test.each(sections)('%s', (name, id, [, extras, attachType, attachValue, flags, sleepable]) => {
    const found = findSection(name);
    expect(found?.progType.id).toBe(id);
    const rule = found!.rule;
    expect([rule.extras, rule.attachType, rule.sleepable]).toEqual([extras, attachType, sleepable]);
    expect([...rule.flags].sort()).toEqual([...flags].sort());
    if (attachValue !== null) expect(rule.attachTypeValue).toBe(attachValue);
    const withExtras = findSection(`${name}/a/b`);
    expect(withExtras?.extras ?? null).toBe(extras ? 'a/b' : null);
  });

  test('no section is ours alone', () => {
    const known = new Set(sections.map(([name]) => name));
    const ours = PROG_TYPES.flatMap((entry) => entry.sections.map((rule) => rule.section));
    expect(ours.filter((name) => !known.has(name))).toEqual([]);
    expect(new Set(ours).size).toBe(ours.length);
  });

  test.each(['xdpx', 'kprobe_multi', 'tracepoints', 'maps', '.text', 'license', 'xdp/', 'tc/ingress/x', 'socket1', ''])(
    '%j holds no program',
    (name) => expect(findSection(name)).toBeNull(),
  );
});

describe.each(facts.progTypes.map((row) => [row.name, row] as const))('%s', (_name, row) => {
  const entry = PROG_TYPES_BY_ID.get(row.id)!;

  test('names', () => {
    expect(entry.kernelName).toBe(row.name);
    expect(entry.kernelName).toBe(`BPF_PROG_TYPE_${entry.name.toUpperCase()}`);
  });

  test('return range', () => {
    for (const [context, range] of Object.entries(row.returns)) {
      if (entry.name === 'struct_ops') continue;
      const ours = entry.returnRange(subjectOf(row.id, context));
      expect([context, ours]).toEqual([context, range === null ? null : { min: range[0], max: range[1] }]);
    }
  });

  test('sleepable', () => {
    if (entry.name === 'struct_ops') return expect(entry.sleepableOk(subjectOf(row.id, ''))).toBe(true);
    for (const [context, ok] of Object.entries(row.sleepable)) {
      expect([context, entry.sleepableOk(subjectOf(row.id, context))]).toEqual([context, ok]);
    }
  });

  test('expected attach types', () => {
    const { attachTypes } = row;
    // TRACING, LSM and STRUCT_OPS are refused later, for want of a target.
    if (attachTypes === null || entry.takesBtfTarget) return expect(entry.attachTypeOk(0)).toBe(true);
    const ours = ATTACH_TYPE_NAMES.filter((_, value) => entry.attachTypeOk(value));
    expect(ours).toEqual(
      attachTypes === 'any'
        ? [...ATTACH_TYPE_NAMES]
        : ATTACH_TYPE_NAMES.filter((n) => (attachTypes as readonly string[]).includes(n)),
    );
  });

  test('plain packet access', () => {
    for (const [context, access] of Object.entries(row.packet)) {
      // Reads through a packet pointer need no permission: SOCK_OPS gets the pointer and reads, though not by this rule.
      const subject = subjectOf(row.id, context);
      if (entry.name !== 'sock_ops')
        expect([context, entry.packetAccess(false, subject)]).toEqual([context, access.startsWith('read')]);
      expect([context, entry.packetAccess(true, subject)]).toEqual([context, access === 'read_write']);
    }
  });
});

test('every id from 1 to 32 has an entry', () => {
  expect(PROG_TYPES.map((entry) => entry.id)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
});
