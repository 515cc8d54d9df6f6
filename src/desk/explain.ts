import type { ArgSpec, AvailabilityCondition, Helper, HelperEffects, HelperProto, RetSpec } from '../contracts/helper.ts';
import type { IterTarget } from '../contracts/iter_target.ts';
import type { Kfunc, KfuncFlag } from '../contracts/kfunc.ts';
import type { MapType } from '../contracts/map_type.ts';
import type { Profile } from '../contracts/profile.ts';
import type { AccessRule, ContextField, ProgType } from '../contracts/prog_type.ts';
import type { RevisedEntry } from '../contracts/revision.ts';
import type { RegTypeWords } from '../contracts/type_words.ts';
import { REVISED_ENTRIES } from '../profiles/revisions.ts';
import { explainRegType } from './explain_reg_type.ts';

export type ExplainedKind =
  | 'helper'
  | 'kfunc'
  | 'map type'
  | 'program type'
  | 'iterator target'
  | 'register type'
  | 'revised entry'
  | 'message';

/** What is known of a word: one entry of the kernel's, in lines. */
export interface Explanation {
  readonly kind: ExplainedKind;
  readonly name: string;
  readonly summary: string;
  /** labels and what stands behind them, in the order in which they are read */
  readonly facts: readonly (readonly [label: string, text: string])[];
}

/** Everything that a word may mean: a name with or without its prefix, a number does not count. Empty when nothing is known of it. */
export function explain(word: string, profile: Profile): Explanation[] {
  const is = (...names: readonly string[]): boolean => names.some((name) => name.toLowerCase() === word.toLowerCase());
  const helpers = profile.helpers.filter((helper) => helper !== undefined && is(helper.name, withoutPrefix(helper.name)));
  const kfuncs = [...profile.kfuncs.values()].filter(({ name }) => is(name, withoutPrefix(name)));
  const maps = [...profile.mapTypes.values()].filter(({ name, kernelName }) => is(name, kernelName));
  const types = [...profile.progTypes.values()].filter(
    ({ name, kernelName, sections }) => is(name, kernelName) || sections.some(({ section }) => is(section)),
  );
  const targets = [...profile.iterTargets.values()].filter(({ name }) => is(name, `iter/${name}`));
  const revised = [...REVISED_ENTRIES.values()].filter(({ name }) => is(name));
  return [
    ...helpers.map((helper) => ofHelper(helper!)),
    ...kfuncs.map((kfunc) => ofKfunc(kfunc)),
    ...maps.map((map) => ofMapType(map, profile)),
    ...types.map((type) => ofProgType(type, profile)),
    ...targets.map((target) => ofIterTarget(target)),
    ...revised.map((entry) => ofRevised(entry)),
    ...explainRegType(word),
  ];
}

/** Every word that `explain` knows by its full name. */
export const explainableWords = (profile: Profile): string[] => [
  ...profile.helpers.flatMap((helper) => (helper === undefined ? [] : [helper.name])),
  ...profile.kfuncs.keys(),
  ...[...profile.mapTypes.values()].map(({ name }) => name),
  ...[...profile.progTypes.values()].map(({ name }) => name),
  ...profile.iterTargets.keys(),
  ...REVISED_ENTRIES.keys(),
];

const withoutPrefix = (name: string): string => name.replace(/^bpf_/, '');

type Facts = (readonly [string, string])[];

const runs = (run: unknown): string => (run === undefined ? 'checked only' : 'modelled');

const words = (base: string, flags: readonly string[] = [], btfType?: string): string =>
  [base, ...flags].join(' | ') + (btfType === undefined ? '' : ` (struct ${btfType})`);

function argument(arg: ArgSpec): string {
  const size = arg.size === undefined ? '' : `, ${arg.size} bytes`;
  return `${arg.name}: ${words(arg.base, arg.flags, arg.btfType)}${size}`;
}

const result = ({ base, flags, btfType }: RetSpec): string => words(base, flags, btfType);

const PROTO_MARKS: readonly (readonly [keyof HelperProto, string])[] = [
  ['gplOnly', 'for programs under the GPL only'],
  ['packetAccess', 'takes packet pointers'],
  ['mightSleep', 'may sleep: in sleepable programs only'],
  ['allowFastcall', 'keeps R1 to R5 where it is inlined (bpf_fastcall)'],
];

function condition(when: AvailabilityCondition): string {
  if ('attachIn' in when) return `attached as ${when.attachIn.join(', ')}`;
  if ('attachNotIn' in when) return `not attached as ${when.attachNotIn.join(', ')}`;
  if ('cap' in when) return `with CAP_${when.cap.toUpperCase()}`;
  if ('sleepable' in when) return when.sleepable ? 'sleepable' : 'not sleepable';
  if ('targetIn' in when) return `attached to ${when.targetIn.join(', ')}`;
  if ('structOps' in when)
    return `of ${when.structOps}${when.memberNotIn.length > 0 ? `, but not ${when.memberNotIn.join(', ')}` : ''}`;
  return `where the kernel has ${when.config}`;
}

const EFFECTS: readonly (readonly [keyof HelperEffects, string])[] = [
  ['changesPacketData', 'pointers to the packet are no longer valid'],
  ['pointerCast', 'the result carries the reference of its argument'],
  ['dynptrReference', 'the result lives as long as the dynptr'],
  ['storageGet', 'may allocate'],
  ['writesMap', 'refused on maps that are read-only for programs'],
  ['recordsKey', 'a constant index is remembered, and marked precise'],
  ['allowedInLocks', 'may be called while a lock is held'],
  ['inlined', 'replaced by instructions'],
];

function effectFacts(effects: HelperEffects = {}): Facts {
  const facts: Facts = EFFECTS.filter(([key]) => effects[key] === true).map(([, text]) => ['effect', text]);
  const { acquires, callback, lock, timer, refinesReturn } = effects;
  if (acquires !== undefined) {
    facts.push([
      'effect',
      `the result is a reference that has to be given back${acquires === 'always' ? '' : ` (${acquires.join(', ')})`}`,
    ]);
  }
  if (callback !== undefined) {
    const [min, max] = callback.returns;
    facts.push(['callback', `${callback.kind === 'sync' ? 'runs during the call' : 'runs later'}, returns ${min} to ${max}`]);
  }
  if (lock !== undefined) facts.push(['effect', lock === 'lock' ? 'takes a lock' : 'gives a lock back']);
  if (timer !== undefined) facts.push(['effect', `operation on a bpf_timer: ${timer}`]);
  if (refinesReturn === 'size-bound') facts.push(['effect', 'the result is at most the size argument, at least -4095']);
  if (refinesReturn === 'cpu-id') facts.push(['effect', 'the result is below the number of CPUs']);
  return facts;
}

function ofHelper(helper: Helper): Explanation {
  const facts: Facts = [['number', String(helper.id)]];
  for (const proto of helper.protos) {
    if (helper.protos.length > 1) facts.push(['prototype', proto.name]);
    proto.args.forEach((arg, index) => {
      facts.push([`R${index + 1}`, argument(arg)]);
    });
    facts.push(['returns', result(proto.ret)]);
    for (const [key, text] of PROTO_MARKS) if (proto[key] === true) facts.push(['rule', text]);
    facts.push(['runs here', runs(proto.run)]);
  }
  for (const { types, when = [], proto } of helper.available) {
    const which = helper.protos.length > 1 ? ` (${proto})` : '';
    facts.push(['for', [types.join(', '), ...when.map(condition)].join('; ') + which]);
  }
  if (helper.maps !== undefined) facts.push(['maps', helper.maps.join(', ')]);
  facts.push(...effectFacts(helper.effects));
  facts.push(...revisionFacts((revision) => revision.helpers?.some(({ id }) => id === helper.id) === true));
  return { kind: 'helper', name: helper.name, summary: helper.summary, facts };
}

const FLAGS: Readonly<Record<KfuncFlag, string>> = {
  KF_ACQUIRE: 'the result is a reference that has to be given back',
  KF_RELEASE: 'gives a reference back',
  KF_RET_NULL: 'the result may be NULL',
  KF_TRUSTED_ARGS: 'pointers have to be trusted',
  KF_SLEEPABLE: 'in sleepable programs only',
  KF_DESTRUCTIVE: 'needs CAP_SYS_BOOT',
  KF_RCU: 'pointers have to be trusted or protected by RCU',
  KF_ITER_NEW: 'begins an iterator',
  KF_ITER_NEXT: 'moves an iterator on',
  KF_ITER_DESTROY: 'ends an iterator',
  KF_RCU_PROTECTED: 'in an RCU section only',
  KF_FASTCALL: 'keeps R1 to R5 where it is inlined (bpf_fastcall)',
  KF_ARENA_RET: 'the result points into the arena',
  KF_ARENA_ARG1: 'the first argument points into the arena',
  KF_ARENA_ARG2: 'the second argument points into the arena',
};

function ofKfunc(kfunc: Kfunc): Explanation {
  const facts: Facts = [['declaration', kfunc.declaration]];
  for (const flag of kfunc.flags) facts.push([flag, FLAGS[flag]]);
  for (const { types, filter } of kfunc.available) {
    facts.push([
      'for',
      (types.includes('*') ? 'every program type' : types.join(', ')) +
        (filter === undefined ? '' : '; the kernel looks at the program too'),
    ]);
  }
  if (kfunc.available.length === 0) facts.push(['for', 'nobody: programs only attach to it']);
  if (kfunc.allowedInLocks === true) facts.push(['rule', 'may be called while a lock is held']);
  if (kfunc.modifiesReturn === true) facts.push(['rule', 'fmod_ret programs may attach to it']);
  facts.push(['runs here', runs(kfunc.run)]);
  facts.push(...revisionFacts((revision) => revision.kfuncs?.some(({ name }) => name === kfunc.name) === true));
  return { kind: 'kfunc', name: kfunc.name, summary: kfunc.summary, facts };
}

function ofMapType(map: MapType, profile: Profile): Explanation {
  const facts: Facts = [['number', `${map.id} (${map.kernelName})`]];
  if (!profile.isBuilt(map)) facts.push(['rule', `this kernel is built without ${map.config}`]);
  const asked = profile.helpers.flatMap((helper) =>
    helper?.maps?.some((name) => name === map.name) === true ? [helper.name] : [],
  );
  const named = [...new Set([...(map.helpers ?? []), ...asked])];
  const anyMap = map.helpers === null ? ['those that take any map'] : [];
  facts.push(['helpers', [...named, ...anyMap].join(', ')]);
  const marks: readonly (readonly [boolean, string])[] = [
    [map.directValue, 'values can be addressed directly'],
    [map.forEach, 'bpf_for_each_map_elem walks it'],
    [map.perCpu, 'one value for each CPU'],
    [map.usableAsInner, 'may stand in a map of maps'],
    [!map.usableAsInner, 'may not stand in a map of maps'],
    [!map.sleepableOk, 'not for sleepable programs'],
    [map.onePerProgram, 'one for a program'],
    [!map.usableInPrograms, 'not for programs'],
    [map.lookupAcquires, 'a look-up gives a reference that has to be given back'],
  ];
  for (const [holds, text] of marks) if (holds) facts.push(['rule', text]);
  if (map.lookupReturns !== 'value')
    facts.push(['look-up', map.lookupReturns === 'none' ? 'not possible' : `gives: ${map.lookupReturns}`]);
  if (map.specialFields.length > 0) facts.push(['fields', map.specialFields.join(', ')]);
  return { kind: 'map type', name: map.name, summary: map.summary, facts };
}

const access = (rule: AccessRule | undefined, letter: string): string => (rule === undefined ? '-' : letter);

function contextField(field: ContextField): string {
  const { name, off, size, read, write, reg, btfType } = field;
  const gives = reg === undefined ? '' : `, ${words(reg.base, reg.flags, btfType)}`;
  return `${off}-${off + size} ${access(read, 'r')}${access(write, 'w')} ${name}${gives}`;
}

function ofProgType(type: ProgType, profile: Profile): Explanation {
  const facts: Facts = [['number', `${type.id} (${type.kernelName})`]];
  if (!profile.isBuilt(type)) facts.push(['rule', `this kernel is built without ${type.config}`]);
  facts.push(['sections', type.sections.map(({ section, extras }) => `${section}${extras ? '[/…]' : ''}`).join(', ')]);
  facts.push([
    'context',
    type.contextStruct === null ? type.contextKind : `struct ${type.contextStruct}, ${type.contextSize} bytes`,
  ]);
  for (const field of type.contextFields) facts.push(['field', contextField(field)]);
  if (type.needs.length > 0) facts.push(['rule', `needs ${type.needs.map((need) => `CAP_${need.toUpperCase()}`).join(' and ')}`]);
  if (type.unprivilegedOk) facts.push(['rule', 'may be loaded without capabilities where the system allows it']);
  if (type.sleepableRequired === true) facts.push(['rule', 'has to be sleepable']);
  if (type.legacyPacketLoads === true) facts.push(['rule', 'may load from the packet by BPF_ABS and BPF_IND']);
  return { kind: 'program type', name: type.name, summary: type.summary, facts };
}

const register = ({ base, flags }: RegTypeWords, btfType?: string): string => words(base, flags, btfType);

function ofIterTarget(target: IterTarget): Explanation {
  const facts: Facts = [['section', `iter/${target.name}`]];
  facts.push(['context', '0: meta']);
  for (const { name, off, reg, btfType } of target.contextArgs)
    facts.push(['context', `${off}: ${name}, ${register(reg, btfType)}`]);
  if (target.attach.kind !== 'none') facts.push(['walks', `what BPF_LINK_CREATE names: ${target.attach.kind}`]);
  facts.push(['source', target.source], ['runs here', runs(target.run)]);
  facts.push(...revisionFacts((revision) => revision.iterTargets?.some(({ name }) => name === target.name) === true));
  return { kind: 'iterator target', name: target.name, summary: target.summary, facts };
}

function ofRevised(entry: RevisedEntry): Explanation {
  const facts: Facts = [['in Linux', entry.base ?? 'never merged']];
  for (const { name, summary, unsound } of entry.revisions) {
    facts.push([`${entry.name}=${name}`, summary + (unsound === undefined ? '' : `; unsound: ${unsound}`)]);
  }
  return { kind: 'revised entry', name: entry.name, summary: 'An entry with more than one revision, for --with.', facts };
}

/** The revisions that replace an entry. */
function revisionFacts(replaces: (revision: RevisedEntry['revisions'][number]) => boolean): Facts {
  return [...REVISED_ENTRIES.values()].flatMap((entry) =>
    entry.revisions
      .filter(replaces)
      .map((revision): [string, string] => ['revision', `${entry.name}=${revision.name}: ${revision.summary}`]),
  );
}
