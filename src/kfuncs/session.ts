import type { Kfunc } from '../contracts/kfunc.ts';
import { EVERYONE, SESSION, TEST } from './availability.ts';
import { sessionCookie, sessionIsReturn } from './run/session.ts';

/** Probe sessions and functions for tests. */
export const sessionKfuncs: readonly Kfunc[] = [
  {
    name: 'bpf_session_is_return',
    summary: 'Whether the session program runs at the return of the function.',
    declaration: 'bool bpf_session_is_return(void)',
    flags: [],
    available: SESSION,
    run: sessionIsReturn,
  },
  {
    name: 'bpf_session_cookie',
    summary: 'Eight bytes that entry and return of a session share.',
    declaration: '__u64 *bpf_session_cookie(void)',
    flags: [],
    available: SESSION,
    roles: ['session_cookie'],
    run: sessionCookie,
  },
  {
    name: 'bpf_kfunc_call_test_release',
    summary: 'Test of release; does nothing.',
    declaration: 'void bpf_kfunc_call_test_release(struct prog_test_ref_kfunc *p)',
    flags: ['KF_RELEASE'],
    available: TEST,
  },
  {
    name: 'bpf_kfunc_call_memb_release',
    summary: 'Test of release of a member; does nothing.',
    declaration: 'void bpf_kfunc_call_memb_release(struct prog_test_member *p)',
    flags: ['KF_RELEASE'],
    available: TEST,
  },
  {
    name: 'bpf_fentry_test1',
    summary: 'Attach target of tests.',
    declaration: 'int bpf_fentry_test1(int a)',
    flags: ['KF_SLEEPABLE'],
    available: [],
    modifiesReturn: true,
  },
  {
    name: 'bpf_modify_return_test',
    summary: 'Attach target of tests.',
    declaration: 'int bpf_modify_return_test(int a, int *b)',
    flags: [],
    available: [],
    modifiesReturn: true,
  },
  {
    name: 'bpf_modify_return_test2',
    summary: 'Attach target of tests.',
    declaration: 'int bpf_modify_return_test2(int a, int *b, short c, int d, void *e, char f, int g)',
    flags: [],
    available: [],
    modifiesReturn: true,
  },
  {
    name: 'bpf_modify_return_test_tp',
    summary: 'Attach target of tests that also fires a tracepoint.',
    declaration: 'int bpf_modify_return_test_tp(int nonce)',
    flags: [],
    available: EVERYONE,
    modifiesReturn: true,
  },
];
