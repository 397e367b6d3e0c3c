import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Structure } from '../../../src/qmp/structure.ts'

function take(text: string, limits: { depth: number; values: number }, cuts: readonly number[] = []): void {
  const bytes = Buffer.from(text)
  const at = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const structure = new Structure(limits)
  for (let i = 1; i < at.length; i++) structure.add(bytes.subarray(at[i - 1], at[i]))
}

/** Counted by hand: how deep a value is, and its lists, objects and commas. */
function measure(value: unknown): { depth: number; values: number } {
  if (typeof value !== 'object' || value === null) return { depth: 0, values: 0 }
  const inner = Object.values(value).map(measure)
  return {
    depth: 1 + Math.max(0, ...inner.map(({ depth }) => depth)),
    values: 1 + Math.max(0, inner.length - 1) + inner.reduce((sum, { values }) => sum + values, 0),
  }
}

describe('the structure of a line', () => {
  test('is counted as the parsed value has it, however the line is cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ',', ']', 'a', 'ä') })
    const value = fc.letrec(tie => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, 7, true),
        text,
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 4 }),
      ),
    })).value
    await fc.assert(
      fc.property(value, fc.array(fc.nat()), (any, cuts) => {
        const json = JSON.stringify(any)
        const { depth, values } = measure(any)
        take(json, { depth, values }, cuts)
        if (depth > 0) expect(() => take(json, { depth: depth - 1, values }, cuts)).toThrow('deep')
        if (values > 0) expect(() => take(json, { depth, values: values - 1 }, cuts)).toThrow('values')
      }),
    )
  })

  test('is refused at the first byte beyond a limit', () => {
    const limits = { depth: 32, values: 100 }
    expect(() => take('['.repeat(33), limits)).toThrow('lists and objects more than 32 deep')
    expect(() => take(`[${'0,'.repeat(100)}`, limits)).toThrow('more than 100 values')
    expect(() => take(`"${'[{,'.repeat(1000)}`, limits)).not.toThrow()
  })
})
