/** RFC 4648 section 4, with padding. */
export const bytesToBase64 = (bytes: Uint8Array): string => {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};

/** The bytes of a base64 text, blanks allowed; null for anything else. */
export const base64ToBytes = (text: string): Uint8Array | null => {
  const bare = text.replace(/\s+/g, '');
  if (bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return null;
  return Uint8Array.from(atob(bare), (char) => char.charCodeAt(0));
};
