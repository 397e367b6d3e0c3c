/** Integers of 32 bits without pattern, the same for the same seed (xorshift32). */
export function randomOf(seed: number): () => number {
  let state = seed * 2654435761 + 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
