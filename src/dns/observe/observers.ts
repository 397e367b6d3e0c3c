import type { Answered, Resolver } from '../types.ts'

type Observer = (answered: Answered) => void

/** The observers of a resolver's answers. Without observers the resolver reports nothing, which costs nothing. */
export class Observers {
  readonly #resolver: Resolver
  readonly #all = new Set<Observer>()

  constructor(resolver: Resolver) {
    this.#resolver = resolver
  }

  /** Adds an observer, and returns the function that removes it. */
  add(observer: Observer): () => void {
    this.#all.add(observer)
    this.#set()
    return () => {
      this.#all.delete(observer)
      this.#set()
    }
  }

  #set(): void {
    const [only, ...more] = this.#all
    this.#resolver.onAnswer = more.length === 0 ? only : answered => this.#tell(answered)
  }

  #tell(answered: Answered): void {
    for (const observer of this.#all) observer(answered)
  }
}
