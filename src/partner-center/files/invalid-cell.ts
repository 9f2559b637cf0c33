/** A cell that cannot be taken, with the reason as it is shown: it reads on from the cell's value. */
export class InvalidCell {
  constructor(readonly reason: string) {}
}
