/** The vsyscall page of x86-64. */
const VSYSCALL_HIGH = 0xffffffff;
const VSYSCALL_LO = 0xff600000;
const PAGE_BYTES = 4096;
/** First high half of a canonical kernel address. */
const KERNEL_HIGH = 0xffff8000;

/** copy_from_kernel_nofault_allowed(): above user space, not the vsyscall page, and canonical. Source: arch/x86/mm/maccess.c. */
export function isKernelAddress(lo: number, hi: number): boolean {
  const high = hi >>> 0;
  const low = lo >>> 0;
  if (high === VSYSCALL_HIGH && low >= VSYSCALL_LO && low < VSYSCALL_LO + PAGE_BYTES) return false;
  return high >= KERNEL_HIGH;
}
