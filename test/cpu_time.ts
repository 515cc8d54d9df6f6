/** Milliseconds of CPU that this process has used: a limit on it holds on a busy machine too, where one on the clock would not. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
