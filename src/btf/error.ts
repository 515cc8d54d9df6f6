/** Bad BTF: what is wrong, in the kernel's words where it has some, and where. The edges turn it into `Malformed` or a verdict. */
export class BtfError extends Error {
  /** Byte offset in the blob, where one is known. */
  readonly offset: number | undefined;
  /** Type id, where one is known. */
  readonly typeId: number | undefined;

  constructor(message: string, where: { offset?: number; typeId?: number } = {}) {
    super(message);
    this.name = 'BtfError';
    this.offset = where.offset;
    this.typeId = where.typeId;
  }
}
