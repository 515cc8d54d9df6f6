/** The fuzzer as a library, `drybpf/fuzz`: arbitraries for fast-check, oracles, campaigns. Nothing behind it needs node. */
export {
  instructions,
  mapEntries,
  mutants,
  objects,
  packets,
  programs,
  type SeededProgram,
  type Witnessed,
  witnessedScalars,
  worlds,
} from './arbitrary.ts';
export { Campaign, type CampaignOptions, roundOf } from './campaign.ts';
export { type CampaignReport, coverageOf, kernelCoverageOf, mergeReports } from './campaign_report.ts';
export { type Checked, type CheckOptions, checkProgram, type Finding } from './check.ts';
export { formatOf, shapeOf } from './coverage.ts';
export { CPUS, type Cpu, DEFAULT_DIALS, type Dials, FEATURES, type Feature } from './dials.ts';
export { FuzzKernel } from './generate/kernel.ts';
export { generateObject } from './generate/object.ts';
export { generateProgram } from './generate/program.ts';
export { UNSOUND_RULES, type UnsoundRule } from './linux_unsound.ts';
export { mutate } from './mutate.ts';
export { mutateFrame } from './mutate_frame.ts';
export { admitsWord } from './oracle/admits.ts';
export { ORACLES, type OracleName } from './oracle_names.ts';
export { Random } from './random.ts';
export { REFUSALS } from './refusals.ts';
export { minimize, shrinkProgram } from './shrink.ts';
export { programText } from './text.ts';
