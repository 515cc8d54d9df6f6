import { describe, expect, it } from 'vitest';
import type { ProgramReport } from '../../src/report/program_report.ts';
import {
  type ColumnSpec,
  CSV_COLUMNS,
  csvText,
  parseColumns,
  SORT_COLUMNS,
  sortReports,
  TABLE_COLUMNS,
  tableText,
} from '../../src/report/veristat.ts';

const report = (fields: Partial<ProgramReport>): ProgramReport => ({
  object: 'dir/a.o',
  program: 'one',
  section: 'xdp',
  progType: 'xdp',
  attachType: 'xdp',
  attachTarget: null,
  verdict: 'accept',
  errno: null,
  message: null,
  insn: null,
  unmodelled: [],
  insns: 12,
  insnsProcessed: 34,
  totalStates: 5,
  peakStates: 4,
  maxStatesPerInsn: 1,
  stackDepth: '16+8',
  durationUs: 678,
  coldUs: 900,
  ...fields,
});

const specs = (text: string): ColumnSpec[] => {
  const parsed = parseColumns(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
};

describe('the table', () => {
  it('is that of veristat', () => {
    const reports = [report({}), report({ program: 'other', verdict: 'reject', insnsProcessed: 123456 })];
    const tally = { files: 1, programs: 2, skippedFiles: 0, skippedPrograms: 3 };
    expect(tableText(reports, TABLE_COLUMNS, tally)).toBe(
      [
        'File  Program  Verdict  Duration (us)   Insns  States  Program size  Jited size',
        '----  -------  -------  -------------  ------  ------  ------------  ----------',
        'a.o   one      success            678      34       5            12           0',
        'a.o   other    failure            678  123456       5            12           0',
        '----  -------  -------  -------------  ------  ------  ------------  ----------',
        'Done. Processed 1 files, 2 programs. Skipped 0 files, 3 programs.',
        '',
      ].join('\n'),
    );
  });

  it('says unknown and not-loaded where veristat has no word', () => {
    const verdicts = (['unknown', 'not-loaded'] as const).map((verdict) => csvText([report({ verdict })], specs('verdict')));
    expect(verdicts).toEqual(['verdict\nunknown\n', 'verdict\nnot-loaded\n']);
  });
});

describe('CSV', () => {
  it('has the columns of veristat', () => {
    expect(csvText([report({ attachType: null })], CSV_COLUMNS)).toBe(
      'file_name,prog_name,verdict,duration,total_insns,total_states,peak_states,max_states_per_insn,max_mark_read_len,' +
        'prog_size,prog_size_jited,prog_type,attach_type,stack_depth,mem_peak\n' +
        'a.o,one,success,678,34,5,4,1,0,12,0,xdp,N/A,24,0\n',
    );
  });

  it('quotes what would not be one field', () => {
    expect(csvText([report({ object: 'a,b".o' })], specs('file'))).toBe('file_name\n"a,b"".o"\n');
  });
});

describe('specifications', () => {
  it('know columns by every name', () => {
    expect(specs('file,filename,file_name,prog,insns_b').map(({ column }) => column.id)).toEqual([
      'file_name',
      'file_name',
      'file_name',
      'prog_name',
      'total_insns',
    ]);
  });

  it.each([
    ['insns', false],
    ['insns^', true],
    ['insnsv', false],
    ['file', true],
    ['file_', false],
    ['file!', false],
  ])('%s sorts upwards: %s', (text, ascending) => expect(specs(text)[0]!.ascending).toBe(ascending));

  it('refuse what is no column', () => {
    expect(parseColumns('file,nonsense')).toContain("there is no column 'nonsense'");
    expect(parseColumns('')).toBe('no column is named');
  });

  it('sort, and then by file and program', () => {
    const reports = [
      report({ program: 'b', insnsProcessed: 1 }),
      report({ program: 'a', insnsProcessed: 1 }),
      report({ program: 'c', insnsProcessed: 9 }),
      report({ program: 'd', insnsProcessed: 2, verdict: 'reject' }),
    ];
    const order = (text: string) => sortReports(reports, specs(text)).map(({ program }) => program);
    expect(order('insns')).toEqual(['c', 'd', 'a', 'b']);
    expect(order('insns^')).toEqual(['a', 'b', 'd', 'c']);
    expect(order('verdict')).toEqual(['d', 'a', 'b', 'c']);
    expect(sortReports(reports, SORT_COLUMNS).map(({ program }) => program)).toEqual(['a', 'b', 'c', 'd']);
  });
});
