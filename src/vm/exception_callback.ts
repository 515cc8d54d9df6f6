import type { Program } from '../program/program.ts';

const TAG = 'exception_callback:';
/** The tag is on the function itself, not on an argument. */
const WHOLE_FUNCTION = -1;

/** Slot of the function that runs when the program throws; null without. Source: bpf_find_exception_callback_insn_off. */
export function exceptionCallback({ btf, funcInfo }: Program): number | null {
  const [main] = funcInfo;
  if (btf === null || main === undefined) return null;
  const tag = btf.declTags(main.typeId).find(({ componentIdx, name }) => componentIdx === WHOLE_FUNCTION && name.startsWith(TAG));
  if (tag === undefined) return null;
  const callback = btf.findByName(tag.name.slice(TAG.length), 'FUNC');
  return funcInfo.findLast(({ typeId }) => typeId === callback?.id)?.insn ?? null;
}
