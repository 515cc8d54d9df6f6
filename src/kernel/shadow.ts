/**
 * The shadow of guest memory: one tag for each granule of 8 bytes. Tag 0 means that all 8 bytes may be read and written, so that
 * the fast path of an access is one comparison for each granule it touches, and memory that was never used needs no tagging.
 *
 *     0x00        all bytes              0x30  stack, nothing written yet        0xf0  never allocated
 *     0x01..0x07  the first n bytes      0x31  stack, some bytes written         0xf1  red zone
 *     0x20..0x28  the first n bytes,     0x40  context: loads are translated     0xf2  freed
 *                 read only              0x50  bytes by a mask of their own      0xf3  stack frame that has returned
 */
export const GRANULE_SHIFT = 3;
export const GRANULE = 8;

export const TAG_ALL = 0x00;
export const TAG_READ_ONLY = 0x20;
/** all bytes, read only */
export const TAG_ALL_READ_ONLY = TAG_READ_ONLY + GRANULE;
export const TAG_STACK_UNWRITTEN = 0x30;
export const TAG_STACK_PARTIAL = 0x31;
export const TAG_CONTEXT = 0x40;
export const TAG_MASKED = 0x50;
export const TAG_UNALLOCATED = 0xf0;
export const TAG_RED_ZONE = 0xf1;
export const TAG_FREED = 0xf2;
export const TAG_DEAD_FRAME = 0xf3;

/** Why a byte may not be touched, or null when it may. */
export type TagVerdict = 'out-of-bounds' | 'use-after-free' | 'read-only' | 'unmapped' | null;

/** What a tag says about byte `at` (0 to 7) of its granule; `mask` is the granule's own one for `TAG_MASKED`. */
export const judgeByte = (tag: number, at: number, write: boolean, mask: number): TagVerdict => {
  if (tag === TAG_ALL) return null;
  if (tag < GRANULE) return at < tag ? null : 'out-of-bounds';
  if (tag >= TAG_READ_ONLY && tag <= TAG_READ_ONLY + GRANULE) {
    if (at >= tag - TAG_READ_ONLY) return 'out-of-bounds';
    return write ? 'read-only' : null;
  }
  switch (tag) {
    case TAG_STACK_UNWRITTEN:
    case TAG_STACK_PARTIAL:
    case TAG_CONTEXT:
      return null;
    case TAG_MASKED:
      return (mask >> at) & 1 ? null : 'out-of-bounds';
    case TAG_FREED:
    case TAG_DEAD_FRAME:
      return 'use-after-free';
    case TAG_UNALLOCATED:
      return 'unmapped';
    default:
      return 'out-of-bounds';
  }
};
