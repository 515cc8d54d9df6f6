/**
 * The name without a trailing `___flavor`, by which CO-RE relocations match types of different kernels.
 * Source: bpf_core_essential_name_len, tools/lib/bpf/relo_core.c.
 */
export const essentialName = (name: string): string => {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name[i] !== '_' && name.startsWith('___', i + 1) && name[i + 4] !== '_') return name.slice(0, i + 1);
  }
  return name;
};

/** 32-bit FNV-1a of the essential name: the key of every name index, so that one index serves both kinds of look-up. */
export const nameHash = (name: string): number => {
  const essential = essentialName(name);
  let hash = 0x811c9dc5;
  for (let i = 0; i < essential.length; i++) {
    hash ^= essential.charCodeAt(i) & 0xff;
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
};

const utf8 = new TextDecoder();

/** The zero-terminated text at `at`; undefined when it does not end before `end`. */
export const textAt = (bytes: Uint8Array, at: number, end: number): string | undefined => {
  let text = '';
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0) return text;
    if (byte >= 0x80) {
      const stop = bytes.indexOf(0, i);
      return stop === -1 || stop >= end ? undefined : utf8.decode(bytes.subarray(at, stop));
    }
    text += String.fromCharCode(byte);
  }
  return undefined;
};
