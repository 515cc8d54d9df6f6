/** A program that attaches to another BPF program, as the kernel's tests pair them (their C side calls set_attach_target). */
export interface Pairing {
  readonly object: string;
  readonly program: string;
  readonly targetObject: string;
  readonly targetProgram: string;
  readonly func: string;
}

type Row = readonly [program: string, targetObject: string, targetProgram: string, func: string];

const pair = (object: string, rows: readonly Row[]): Pairing[] =>
  rows.map(([program, targetObject, targetProgram, func]) => ({ object, program, targetObject, targetProgram, func }));

const EXCEPTIONS = 'exceptions.bpf.o';
const PKT_ACCESS = 'test_pkt_access.bpf.o';
const CHANGES = 'changes_pkt_data.bpf.o';

/** Programs of exceptions_ext.bpf.o and the functions of exceptions.bpf.o, prog_tests/exceptions.c. */
const exceptionRows: readonly Row[] = [
  ...['pfentry', 'throwing_fentry', 'pfexit', 'throwing_fexit', 'throwing_exception_cb_extension'].map(
    (program): Row => [program, EXCEPTIONS, 'exception_ext_mod_cb_runtime', 'exception_cb_mod'],
  ),
  ['throwing_exception_cb_extension', EXCEPTIONS, 'exception_ext_mod_cb_runtime', 'exception_cb_mod_global'],
  ['throwing_extension', EXCEPTIONS, 'exception_ext', 'exception_ext_global'],
  ...['pfentry', 'throwing_fentry', 'pfexit', 'throwing_fexit'].flatMap((program) =>
    ['subprog', 'throwing_subprog'].map((func): Row => [program, EXCEPTIONS, 'exception_throw_subprog', func]),
  ),
  ...['subprog', 'global_subprog'].map((func): Row => ['pfmod_ret', EXCEPTIONS, 'exception_throw_subprog', func]),
  ...['subprog', 'throwing_subprog', 'global_subprog', 'throwing_global_subprog', 'exception_throw_subprog'].map(
    (func): Row => ['extension', EXCEPTIONS, 'exception_throw_subprog', func],
  ),
  ...['throwing_global_subprog', 'global_subprog', 'exception_throw_subprog'].map(
    (func): Row => ['throwing_extension', EXCEPTIONS, 'exception_throw_subprog', func],
  ),
];

/** prog_tests/changes_pkt_data.c */
const changesRows: readonly Row[] = ['changes_pkt_data', 'does_not_change_pkt_data'].flatMap((program): Row[] => [
  [program, CHANGES, 'main_with_subprogs', 'changes_pkt_data'],
  [program, CHANGES, 'main_with_subprogs', 'does_not_change_pkt_data'],
  [program, CHANGES, 'main_changes', 'main_changes'],
  [program, CHANGES, 'main_does_not_change', 'main_does_not_change'],
]);

/** prog_tests/fexit_bpf2bpf.c, trace_ext.c, global_func_dead_code.c and the two above. */
export const PAIRINGS: readonly Pairing[] = [
  ...pair('exceptions_ext.bpf.o', exceptionRows),
  ...pair('changes_pkt_data_freplace.bpf.o', changesRows),
  ...pair('fexit_bpf2bpf.bpf.o', [
    ['test_main', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access'],
    ['test_subprog1', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access_subprog1'],
    ['test_subprog2', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access_subprog2'],
    ['test_subprog3', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access_subprog3'],
    ['new_get_skb_len', PKT_ACCESS, 'test_pkt_access', 'get_skb_len'],
    ['new_get_skb_ifindex', PKT_ACCESS, 'test_pkt_access', 'get_skb_ifindex'],
    ['new_get_constant', PKT_ACCESS, 'test_pkt_access', 'get_constant'],
    ['new_test_pkt_write_access_subprog', PKT_ACCESS, 'test_pkt_access', 'test_pkt_write_access_subprog'],
    ['new_get_constant', PKT_ACCESS, 'test_pkt_access', 'get_skb_len'],
    ['new_get_skb_len', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access_subprog1'],
  ]),
  ...pair('fexit_bpf2bpf_simple.bpf.o', [
    ['test_main2', 'test_pkt_md_access.bpf.o', 'test_pkt_md_access', 'test_pkt_md_access'],
    ['test_main2', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access_subprog3'],
  ]),
  ...pair('freplace_get_constant.bpf.o', [['security_new_get_constant', PKT_ACCESS, 'test_pkt_access', 'get_constant']]),
  ...pair('freplace_global_func.bpf.o', [['new_test_pkt_access', PKT_ACCESS, 'test_pkt_access', 'test_pkt_access']]),
  ...pair('freplace_cls_redirect.bpf.o', [
    ['freplace_cls_redirect_test', 'test_cls_redirect.bpf.o', 'cls_redirect', 'cls_redirect'],
  ]),
  ...pair('freplace_connect_v4_prog.bpf.o', [
    ['new_connect_v4_prog', 'connect4_prog.bpf.o', 'connect_v4_prog', 'connect_v4_prog'],
  ]),
  ...pair('freplace_dead_global_func.bpf.o', [
    ['freplace_prog', 'verifier_global_subprogs.bpf.o', 'chained_global_func_calls_success', 'global_good'],
    ['freplace_prog', 'verifier_global_subprogs.bpf.o', 'chained_global_func_calls_success', 'global_dead'],
  ]),
  ...pair('freplace_progmap.bpf.o', [['xdp_cpumap_prog', 'xdp_dummy.bpf.o', 'xdp_dummy_prog', 'xdp_dummy_prog']]),
  ...pair('test_trace_ext.bpf.o', [
    ['test_pkt_md_access_new', 'test_pkt_md_access.bpf.o', 'test_pkt_md_access', 'test_pkt_md_access'],
  ]),
];
