import type { Answered, Resolver } from '../types.ts'

type Observer = (answered: Answered) => void

/** All who look at a resolver's answers. While there is nobody, the resolver tells nobody, which costs nothing. */
export class Observers {
  readonly #resolver: Resolver
  readonly #all = new Set<Observer>()

  constructor(resolver: Resolver) {
    this.#resolver = resolver
  }

  /** Gives what takes it away again. */
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
