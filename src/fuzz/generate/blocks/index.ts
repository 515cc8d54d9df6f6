import type { Step } from '../generator.ts';
import { ALU_STEPS } from './alu.ts';
import { ARGUMENT_STEPS } from './arguments.ts';
import { CALL_STEPS } from './calls.ts';
import { CONTEXT_STEPS } from './context.ts';
import { CONTROL_STEPS } from './control.ts';
import { DYNPTR_STEPS } from './dynptr.ts';
import { FUNCTION_STEPS } from './functions.ts';
import { HELPER_STEPS } from './helpers.ts';
import { KFUNC_STEPS } from './kfuncs.ts';
import { LEAK_STEPS } from './leaks.ts';
import { LIMIT_STEPS } from './limits.ts';
import { MAP_STEPS } from './maps.ts';
import { MERGE_STEPS } from './merge.ts';
import { PACKET_STEPS } from './packet.ts';
import { POINTER_STEPS } from './pointer.ts';
import { PROTOTYPE_STEPS } from './prototypes.ts';
import { REFERENCE_STEPS } from './references.ts';
import { STACK_STEPS } from './stack.ts';
import { UNCHECKED_STEPS } from './unchecked.ts';

/** Every kind of step that programs are made of. */
export const STEPS: readonly Step[] = [
  ...ALU_STEPS,
  ...POINTER_STEPS,
  ...CONTROL_STEPS,
  ...STACK_STEPS,
  ...CONTEXT_STEPS,
  ...MAP_STEPS,
  ...PACKET_STEPS,
  ...HELPER_STEPS,
  ...FUNCTION_STEPS,
  ...REFERENCE_STEPS,
  ...DYNPTR_STEPS,
  ...KFUNC_STEPS,
  ...MERGE_STEPS,
  ...UNCHECKED_STEPS,
  ...CALL_STEPS,
  ...PROTOTYPE_STEPS,
  ...LEAK_STEPS,
  ...LIMIT_STEPS,
  ...ARGUMENT_STEPS,
];
