import type { Env } from '../env.ts';

/** Declaration tag that names the function to run when the program throws. */
const TAG = 'exception_callback:';

/**
 * Slot at which the exception callback of the main program starts, 0 without one
 * (bpf_find_exception_callback_insn_off, kernel/bpf/verifier.c).
 */
export function findExceptionCallback(env: Env): number {
  const { btf, funcInfo } = env.program;
  const main = funcInfo[0];
  if (!btf || !main) return 0;
  const tags = btf.declTags(main.typeId).filter((tag) => tag.componentIdx === -1 && tag.name.startsWith(TAG));
  const tag = tags[0];
  if (!tag) return 0;
  if (tags.length > 1) env.reject('EEXIST', 'multiple exception callback tags for main subprog');
  const name = tag.name.slice(TAG.length);
  const func = btf.findByName(name, 'FUNC');
  if (!func) env.reject('ENOENT', `exception callback '${name}' could not be found in BTF`);
  if (func.linkage !== 'global') env.reject('EINVAL', `exception callback '${name}' must have global linkage`);
  const row = funcInfo.findLast((info) => info.typeId === func.id);
  if (!row) env.reject('EINVAL', 'exception callback type id not found in func_info');
  if (row.insn === 0) env.reject('EINVAL', 'invalid exception callback insn_off in func_info: 0');
  return row.insn;
}
