import { inflateSync } from 'fflate';
import type { Inflate } from './packed_source.ts';

/** Inflates without help of the platform. */
export const inflate: Inflate = (packed, size) => inflateSync(packed, { out: new Uint8Array(size) });
