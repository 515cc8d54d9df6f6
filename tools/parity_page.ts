/**
 * Writes docs/parity.md: what of the base profile's kernel is modelled. Nothing on the page is written by hand: what exists is read
 * from the kernel's BTF, what is known from the entries of the profile.
 *
 *     npm run parity
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openBundledProfile } from '../src/cli/bundled_kernel.ts';
import type { Profile } from '../src/contracts/profile.ts';
import { REG_BASES } from '../src/contracts/type_words.ts';
import { PROG_TYPES } from '../src/contracts/uapi_numbers.ts';
import { isMapModelled } from '../src/maps/create.ts';
import { runsOnPacket } from '../src/vm/run.ts';

const STATES = ['modelled', 'checked only', 'unknown'] as const;
type State = (typeof STATES)[number];

interface Row {
  readonly name: string;
  readonly state: State;
  /** what a reader should know beside the state */
  readonly note: string;
}

interface Section {
  readonly title: string;
  /** what the states mean for this kind of thing */
  readonly meaning: string;
  readonly rows: readonly Row[];
}

interface EnumValue {
  readonly name: string;
  readonly value: number;
}

function enumValues(profile: Profile, name: string): EnumValue[] {
  const type = profile.btf.findByName(name, 'ENUM');
  if (type === undefined) throw new Error(`the kernel's BTF has no enum ${name}`);
  return type.values
    .map((each) => ({ name: each.name, value: Number(each.value) }))
    .filter((each) => !each.name.startsWith('__'));
}

/** Types by number; the first name of a number is the one that counts, deprecated ones are notes. */
function byNumber(values: readonly EnumValue[]): Map<number, string[]> {
  const names = new Map<number, string[]>();
  for (const { name, value } of values) names.set(value, [...(names.get(value) ?? []), name]);
  return names;
}

function helperRows(profile: Profile): Row[] {
  return enumValues(profile, 'bpf_func_id')
    .filter(({ value }) => value !== 0)
    .map(({ name, value }): Row => {
      const helper = profile.helpers[value];
      if (helper === undefined) return { name: name.replace('BPF_FUNC_', 'bpf_'), state: 'unknown', note: '' };
      // the machine itself jumps
      if (helper.effects?.rule === 'tail_call') return { name: helper.name, state: 'modelled', note: '' };
      const running = helper.protos.filter((proto) => proto.run !== undefined);
      const state = running.length === helper.protos.length ? 'modelled' : 'checked only';
      const note = state === 'modelled' || running.length === 0 ? '' : `runs as ${running.map((proto) => proto.name).join(', ')}`;
      return { name: helper.name, state, note };
    });
}

function kfuncRows(profile: Profile): Row[] {
  const { btf, kfuncs } = profile;
  const names = new Set(kfuncs.keys());
  for (const type of btf.types()) {
    if (type.kind === 'DECL_TAG' && type.name === 'bpf_kfunc' && type.componentIdx === -1) names.add(btf.type(type.type).name);
  }
  return [...names].sort().map((name): Row => {
    const kfunc = kfuncs.get(name);
    return { name, state: kfunc === undefined ? 'unknown' : kfunc.run === undefined ? 'checked only' : 'modelled', note: '' };
  });
}

function iteratorRows(profile: Profile): Row[] {
  return [...profile.iterTargets.values()]
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
    .map(({ name, run, config }): Row => {
      const note = config !== undefined && !profile.isBuilt({ config }) ? `not built (${config})` : '';
      return { name, state: run === undefined ? 'checked only' : 'modelled', note };
    });
}

function mapRows(profile: Profile): Row[] {
  return [...byNumber(enumValues(profile, 'bpf_map_type'))]
    .filter(([id]) => id !== 0)
    .sort(([a], [b]) => a - b)
    .map(([id, names]): Row => {
      const type = profile.mapTypes.get(id);
      if (type === undefined) return { name: names[0]!, state: 'unknown', note: '' };
      return { name: type.kernelName, state: isMapModelled(id) ? 'modelled' : 'checked only', note: builtNote(profile, type) };
    });
}

function progRows(profile: Profile): Row[] {
  return [...byNumber(enumValues(profile, 'bpf_prog_type'))]
    .filter(([id]) => id !== 0)
    .sort(([a], [b]) => a - b)
    .map(([id, names]): Row => {
      const type = profile.progTypes.get(id);
      if (type === undefined) return { name: names[0]!, state: 'unknown', note: '' };
      const isModelled = runsOnPacket(id) || id === PROG_TYPES.syscall;
      return { name: type.kernelName, state: isModelled ? 'modelled' : 'checked only', note: builtNote(profile, type) };
    });
}

const builtNote = (profile: Profile, entry: { readonly config?: string }): string =>
  profile.isBuilt(entry) ? '' : `not built (${entry.config})`;

/** Base types: a value of the enum with flags on top is a base type and those flags. */
function registerRows(profile: Profile): Row[] {
  return enumValues(profile, 'bpf_reg_type')
    .filter(({ value }) => value < 0x100)
    .map(
      ({ name, value }): Row => ({
        name,
        state: (REG_BASES as readonly string[])[value] === name ? 'modelled' : 'unknown',
        note: '',
      }),
    );
}

export function sections(profile: Profile): Section[] {
  return [
    { title: 'Helpers', meaning: 'checked and runs', rows: helperRows(profile) },
    { title: 'Kfuncs', meaning: 'checked and runs', rows: kfuncRows(profile) },
    { title: 'Iterator targets', meaning: 'checked and walked', rows: iteratorRows(profile) },
    { title: 'Map types', meaning: 'checked, and holds elements in a run', rows: mapRows(profile) },
    {
      title: 'Program types',
      meaning: 'checked, and runs in a modelled context; the others run over the bytes of a context that is given',
      rows: progRows(profile),
    },
    { title: 'Register types', meaning: 'the verifier tracks it', rows: registerRows(profile) },
  ];
}

const count = (rows: readonly Row[], state: State): number => rows.filter((row) => row.state === state).length;

function overview(all: readonly Section[]): string[] {
  const body = all.map(
    ({ title, rows }) => `| ${[title, ...STATES.map((state) => count(rows, state)), rows.length].join(' | ')} |`,
  );
  return [`| | ${STATES.join(' | ')} | all |`, '| --- | ---: | ---: | ---: | ---: |', ...body];
}

function details({ title, meaning, rows }: Section): string[] {
  const lines = rows.map(({ name, state, note }) => `| \`${name}\` | ${state}${note === '' ? '' : `: ${note}`} |`);
  return [`## ${title}`, '', `Modelled: ${meaning}.`, '', '| name | |', '| --- | --- |', ...lines, ''];
}

/** The whole page. */
export function parityPage(profile: Profile): string {
  const all = sections(profile);
  return [
    '<!-- Generated by npm run parity. Do not edit. -->',
    '# Parity',
    '',
    `What drybpf models of ${profile.name}. What exists is read from the kernel's BTF. *Checked only*: the verifier knows it, and a run that`,
    'would reach it is refused before it starts. *Unknown*: a program that needs it gets the verdict `unknown`.',
    '',
    ...overview(all),
    '',
    ...all.flatMap(details),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

export const PARITY_PAGE = new URL('../docs/parity.md', import.meta.url);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PARITY_PAGE, parityPage(openBundledProfile()));
}
