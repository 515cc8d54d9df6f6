export type { Profile } from './contracts/profile.ts';
export { type VerifyProgramOptions, verify } from './library/verify_program.ts';
export { openProfile, PROFILE_NAMES, type ProfileName } from './profiles/index.ts';
