import { type CampaignReport, coverageOf, kernelCoverageOf } from '../fuzz/campaign_report.ts';
import { CANNOT_ARISE } from '../fuzz/refusals.ts';

const share = (part: number, whole: number): string => (whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(1)} %`);

const LEFT_OUT = Object.values(CANNOT_ARISE).flat().length;
const SHOWN_MESSAGES = 8;
const SHOWN_MISSING = 12;
const SHOWN_UNMODELLED = 12;
const SHOWN_LIMITS = 10;

/** One line about how far a campaign is. */
export const progressText = (report: CampaignReport, seconds: number): string => {
  const rate = Math.round(report.programs / Math.max(seconds, 0.001));
  const { accept, reject, unknown } = report.verdicts;
  return (
    `${report.programs} programs, ${rate}/s, accept ${share(accept, report.programs)} reject ${share(reject, report.programs)}` +
    ` unknown ${unknown}, ${Object.keys(report.messages).length} kinds of messages, ${Object.keys(report.rooms).length} rooms,` +
    ` ${report.findings.length} findings`
  );
};

/** The report of a campaign for people. */
export function campaignText(report: CampaignReport): string {
  const { accept, reject, unknown } = report.verdicts;
  const coverage = coverageOf(report);
  const total = coverage.met.length + coverage.missing.length;
  const lines = [
    `seed ${report.seed}: ${report.programs} programs for ${report.kernel} in ${(report.milliseconds / 1000).toFixed(1)} s`,
    `  accepted ${accept} (${share(accept, report.programs)}), refused ${reject}, unknown ${unknown}; ` +
      `${share(report.long, report.programs)} reach 20 instructions`,
    `  ${report.runs} runs of ${report.instructionsRun} instructions`,
    `  ${Object.keys(report.rooms).length} rooms of the verifier entered, ${report.kept.length} programs kept for something new`,
    `  refusals met: ${coverage.met.length} of ${total} (${share(coverage.met.length, total)}); ${LEFT_OUT} more cannot arise from this kernel`,
  ];
  const common = Object.values(report.messages).sort((a, b) => b.count - a.count);
  for (const { count, example } of common.slice(0, SHOWN_MESSAGES)) lines.push(`    ${count} × ${example}`);
  if (coverage.missing.length > 0) lines.push(`  never met: ${coverage.missing.slice(0, SHOWN_MISSING).join('; ')}…`);
  const agreement = report.kernelAgreement;
  if (agreement.asked > 0) {
    const { asked, verdict, message, processed, states, log } = agreement;
    lines.push(
      `  the running kernel, ${asked} programs: verdict ${share(verdict, asked)}, message ${share(message, asked)}, ` +
        `processed ${share(processed, asked)}, states ${share(states, asked)}, log ${share(log, asked)}`,
    );
  }
  if (agreement.asked > 0) {
    const { met, missing } = kernelCoverageOf(report);
    lines.push(`  refusals that the kernel gave: ${met.length} of ${met.length + missing.length}`);
  }
  const unmodelled = Object.entries(report.unmodelled).sort(([, a], [, b]) => b - a);
  if (unmodelled.length > 0) {
    const shown = unmodelled.slice(0, SHOWN_UNMODELLED).map(([name, count]) => `${name} (${count})`);
    lines.push(`  not run: ${shown.join(', ')}${unmodelled.length > SHOWN_UNMODELLED ? ', …' : ''}`);
  }
  if (report.precision.length > 0) lines.push('  refusals that no run justified, likely limits of precision:');
  for (const { shape, count, runs, reached, seed } of report.precision.slice(0, SHOWN_LIMITS))
    lines.push(`    ${count} × ${shape} (seed ${seed}: ${runs} runs executed it ${reached} times without a fault)`);
  for (const [rule, count] of Object.entries(report.unsound)) lines.push(`  Linux errs, ${count} programs: ${rule}`);
  lines.push(report.findings.length === 0 ? '  no findings' : `  ${report.findings.length} findings:`);
  for (const { oracle, message, count, seed } of report.findings)
    lines.push(`    ${count} × ${oracle}: ${message} (seed ${seed})`);
  return `${lines.join('\n')}\n`;
}
