/** The clones of one start, and those of them that could not resume from their template and are booted. */
export class UnresumedClones {
  readonly #namesByReason = new Map<string, string[]>()
  #clones = 0

  /** A clone is being started. */
  started(): void {
    this.#clones++
  }

  add(name: string, reason: string): void {
    this.#namesByReason.set(reason, [...(this.#namesByReason.get(reason) ?? []), name])
  }

  /** One notice about all of them, with the reason for each; undefined when all have resumed. */
  get notice(): string | undefined {
    const groups = Array.from(this.#namesByReason, ([reason, names]) => {
      return `  ${names.sort().join(', ')}: ${indented(reason)}`
    })
    if (groups.length === 0) return undefined
    const count = [...this.#namesByReason.values()].flat().length
    return [`${count} of ${this.#clones} clones could not resume and had to boot`, ...groups.sort()].join(
      '\n',
    )
  }
}

function indented(text: string): string {
  return text.replaceAll('\n', '\n    ')
}
