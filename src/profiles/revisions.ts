/** Entries in their revisions: what `--with NAME=REVISION` selects from. */

import { overlaidBtf } from '../btf/overlay.ts';
import { Malformed } from '../contracts/errors.ts';
import type { CallbackSpec, Helper } from '../contracts/helper.ts';
import type { Kfunc } from '../contracts/kfunc.ts';
import type { Profile } from '../contracts/profile.ts';
import type { RevisedEntry, Revision } from '../contracts/revision.ts';
import { HELPER_REVISIONS } from '../helpers/revisions.ts';
import { ITERATOR_REVISIONS } from '../iterators/revisions.ts';
import { KFUNC_REVISIONS } from '../kfuncs/revisions.ts';

export const REVISED_ENTRIES: ReadonlyMap<string, RevisedEntry> = new Map(
  [...HELPER_REVISIONS, ...KFUNC_REVISIONS, ...ITERATOR_REVISIONS].map((entry) => [entry.name, entry]),
);

/** The revision that a text such as `user_ringbuf_drain=v3` names. Throws `Malformed` with what there is instead. */
function chosen(text: string): { readonly entry: RevisedEntry; readonly revision: Revision } {
  const [name, wanted, ...rest] = text.split('=');
  const entry = REVISED_ENTRIES.get(name ?? '');
  if (entry === undefined) throw new Malformed(`no entry '${name}' has revisions: ${[...REVISED_ENTRIES.keys()].join(', ')}`);
  const revision = entry.revisions.find((known) => known.name === wanted);
  if (revision === undefined || rest.length > 0) {
    const names = entry.revisions.map((known) => known.name).join(', ');
    throw new Malformed(`${entry.name} has no revision '${[wanted ?? '', ...rest].join('=')}': ${names}`);
  }
  return { entry, revision };
}

/** Reads `NAME=REVISION` texts, one for each entry at most. */
export function readRevisions(texts: readonly string[]): ReadonlyMap<RevisedEntry, Revision> {
  const found = new Map<RevisedEntry, Revision>();
  for (const text of texts) {
    const { entry, revision } = chosen(text);
    if (found.has(entry)) throw new Malformed(`the revision of ${entry.name} is given twice`);
    found.set(entry, revision);
  }
  return found;
}

/** The profile with some entries in other revisions, as `NAME=REVISION` texts or as read before. */
export function withRevisions(profile: Profile, wanted: readonly string[] | ReadonlyMap<RevisedEntry, Revision>): Profile {
  const revisions = Array.isArray(wanted) ? readRevisions(wanted) : (wanted as ReadonlyMap<RevisedEntry, Revision>);
  if (revisions.size === 0) return profile;
  const declarations = new Set([...revisions.values()].flatMap((revision) => revision.declarations ?? []));
  let changed: Profile =
    declarations.size === 0 ? profile : { ...profile, btf: overlaidBtf(profile.btf, [...declarations].join('\n')) };
  // what becomes of callbacks holds for the entries of other revisions, too
  const ordered = [...revisions.values()].sort((a, b) => Number(a.callbacks !== undefined) - Number(b.callbacks !== undefined));
  for (const revision of ordered) changed = withRevision(changed, revision);
  return { ...changed, revisions: new Map([...revisions].map(([entry, revision]) => [entry.name, revision.name])) };
}

function withRevision(profile: Profile, revision: Revision): Profile {
  const helpers = [...profile.helpers];
  for (const helper of revision.helpers ?? []) helpers[helper.id] = helper;
  const kfuncs = new Map(profile.kfuncs);
  for (const kfunc of revision.kfuncs ?? []) kfuncs.set(kfunc.name, kfunc);
  const iterTargets = new Map(profile.iterTargets);
  for (const target of revision.iterTargets ?? []) iterTargets.set(target.name, target);
  const { callbacks, dataAddresses, unsound } = revision;
  return {
    ...profile,
    helpers: callbacks === undefined ? helpers : helpers.map((helper) => helperCallback(helper, callbacks)),
    kfuncs:
      callbacks === undefined ? kfuncs : new Map([...kfuncs].map(([name, kfunc]) => [name, kfuncCallback(kfunc, callbacks)])),
    iterTargets,
    ...(dataAddresses === undefined ? {} : { dataAddresses: new Map([...(profile.dataAddresses ?? []), ...dataAddresses]) }),
    ...(unsound === undefined ? {} : { unsound: [...new Set([...(profile.unsound ?? []), unsound])] }),
  };
}

const helperCallback = (helper: Helper | undefined, change: (spec: CallbackSpec) => CallbackSpec): Helper | undefined =>
  helper?.effects?.callback === undefined
    ? helper
    : { ...helper, effects: { ...helper.effects, callback: change(helper.effects.callback) } };

const kfuncCallback = (kfunc: Kfunc, change: (spec: CallbackSpec) => CallbackSpec): Kfunc =>
  kfunc.callback === undefined ? kfunc : { ...kfunc, callback: change(kfunc.callback) };
