/** A time limit as text: `5 ms`, `0.25 s`, `12 s`. Limits are often what is left of another, 11999.413121 ms. */
export function durationText(ms: number): string {
  if (ms < 100) return `${Math.round(ms)} ms`
  return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 0))} s`
}
