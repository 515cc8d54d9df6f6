/**
 * What programs are held against.
 *
 * - `containment`: every step of a run lies in a state that the verifier explored
 * - `runs`: an accepted program never faults
 * - `pruning`: the verdict is the same when no path is pruned
 * - `metamorphic`: changes that leave the program's behaviour leave its verdict
 * - `round-trip`: bytes and text give the program back
 * - `domain`: the laws of the scalar domain
 * - `precision`: a refusal that no input seems to justify is reported as a likely limit of precision; it is no finding
 */
export const ORACLES = ['containment', 'runs', 'pruning', 'metamorphic', 'round-trip', 'domain', 'precision'] as const;
export type OracleName = (typeof ORACLES)[number];
