import { ALL_CAPABILITIES, type Capabilities, type Subject } from '../../src/contracts/subject.ts';
import { PROG_TYPES, type ProgTypeName } from '../../src/contracts/uapi_numbers.ts';
import { EMPTY_PROGRAM, type Program } from '../../src/program/program.ts';

export interface SubjectFacts {
  readonly type: ProgTypeName;
  readonly attachType?: number;
  readonly target?: string | null;
  readonly member?: string | null;
  readonly sleepable?: boolean;
  readonly caps?: Capabilities;
}

/** A subject without instructions, as availability questions need it. */
export function subjectOf(facts: SubjectFacts): Subject {
  const program: Program = {
    ...EMPTY_PROGRAM,
    name: 'p',
    type: PROG_TYPES[facts.type],
    expectedAttachType: facts.attachType ?? 0,
    hasAttachType: facts.attachType !== undefined,
  };
  return {
    type: program.type,
    attachType: program.expectedAttachType,
    attachName: facts.target ?? null,
    structOpsMember: facts.member ?? null,
    sleepable: facts.sleepable ?? false,
    caps: facts.caps ?? ALL_CAPABILITIES,
    program,
  };
}
