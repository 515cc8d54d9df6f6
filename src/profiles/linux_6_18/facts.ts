import type { KernelFacts } from '../../contracts/profile.ts';
import { DENIED, ERROR_INJECTION } from './attach_sets.ts';
import { DATA_SYMBOLS } from './data_symbols.ts';
import { FUNCTIONS_WITHOUT_ADDRESS } from './functions_without_address.ts';
import { BOOL_LSM_HOOKS, CURRENT_LSM_HOOKS, DISABLED_LSM_HOOKS, SLEEPABLE_LSM_HOOKS, UNTRUSTED_LSM_HOOKS } from './lsm.ts';
import { RAW_TP_NULL_ARGS } from './raw_tp_null_args.ts';
import { DESTRUCTORS, RCU_PROTECTED_TYPES, SAFE_FIELDS } from './safe_fields.ts';

export const FACTS: KernelFacts = {
  sleepableLsmHooks: SLEEPABLE_LSM_HOOKS,
  untrustedLsmHooks: UNTRUSTED_LSM_HOOKS,
  boolLsmHooks: BOOL_LSM_HOOKS,
  disabledLsmHooks: DISABLED_LSM_HOOKS,
  currentLsmHooks: CURRENT_LSM_HOOKS,
  errorInjection: ERROR_INJECTION,
  denied: DENIED,
  rawTpNullArgs: RAW_TP_NULL_ARGS,
  safeFields: SAFE_FIELDS,
  rcuProtectedTypes: RCU_PROTECTED_TYPES,
  destructors: DESTRUCTORS,
  dataSymbols: DATA_SYMBOLS,
  functionsWithoutAddress: FUNCTIONS_WITHOUT_ADDRESS,
};
