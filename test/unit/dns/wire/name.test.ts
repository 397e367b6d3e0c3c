import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ancestry, nameBytes, nameKey, nameText, skipName } from '../../../../src/dns/wire/name.ts'

const label = fc.uint8Array({ minLength: 1, maxLength: 63 })
const name = fc
  .array(label, { maxLength: 6 })
  .map(labels => Uint8Array.from([...labels.flatMap(each => [each.length, ...each]), 0]))
  .filter(bytes => bytes.length <= 255)

describe('a DNS name', () => {
  test.each([
    ['www.example.org', 'www.example.org.'],
    ['www.example.org.', 'www.example.org.'],
    ['.', '.'],
    ['', '.'],
    ['a\\.b.c', 'a\\.b.c.'],
    ['\\097\\000.b', 'a\\000.b.'],
    ['ä.example', '\\195\\164.example.'],
  ])('written as "%s" reads back as %s', (text, usual) => {
    expect(nameText(nameBytes(text)!)).toBe(usual)
  })

  test.each(['a..b', '.a', `${'x'.repeat(64)}.org`, Array(130).fill('a').join('.')])('cannot be %s', text => {
    expect(nameBytes(text)).toBeUndefined()
  })

  test('of any bytes is the same after being written as text and read', () => {
    fc.assert(
      fc.property(name, bytes => {
        expect(nameBytes(nameText(bytes))).toEqual(bytes)
      }),
    )
  })

  test('is the same in ASCII capitals', () => {
    expect(nameKey(nameBytes('WWW.Example')!)).toBe(nameKey(nameBytes('www.eXAMPLE')!))
    expect(nameKey(nameBytes('\\192')!)).not.toBe(nameKey(nameBytes('\\224')!))
  })

  test('has ancestors up to the root', () => {
    expect([...ancestry(nameKey(nameBytes('a.bc.d')!))]).toEqual([
      '\x01a\x02bc\x01d\0',
      '\x02bc\x01d\0',
      '\x01d\0',
      '\0',
    ])
  })
})

describe('skipName()', () => {
  /** After a header, as names in messages are. */
  const at12 = (...bytes: number[]) => Uint8Array.from([...new Array<number>(12).fill(0), ...bytes])

  const names: [string, Uint8Array, number, number][] = [
    ['the root', at12(0), 12, 13],
    ['labels', at12(1, 97, 1, 98, 0, 9), 12, 17],
    ['a pointer back', at12(1, 97, 0, 1, 98, 0xc0, 12), 15, 19],
    ['two pointers back', at12(1, 97, 0, 0xc0, 12, 0xc0, 15), 17, 19],
    ['a pointer to itself', at12(0xc0, 12), 12, -1],
    ['a pointer forward', at12(0xc0, 14, 0), 12, -1],
    ['a pointer to the beginning of its own name', at12(1, 97, 0xc0, 12), 12, -1],
    ['a pointer into the header', at12(0xc0, 4), 12, -1],
    ['half a pointer', at12(0xc0), 12, -1],
    ['a label that is cut off', at12(5, 97), 12, -1],
    ['a name without end', at12(1, 97), 12, -1],
    ['a label of the kinds 01 and 10', at12(0x41, 97, 0), 12, -1],
    ['no bytes', at12(), 12, -1],
  ]
  test.each(names)('handles %s', (...[, bytes, at, behind]) => {
    expect(skipName(bytes, at, bytes.length)).toBe(behind)
  })

  test('accepts a name of 255 bytes with pointers followed, and refuses one of 256', () => {
    const labels = (count: number) => Array.from({ length: count }, () => [1, 97]).flat()
    expect(skipName(at12(...labels(127), 0), 12, 267)).toBe(267)
    expect(skipName(at12(...labels(128), 0), 12, 269)).toBe(-1)
    const joined = at12(...labels(100), 0, ...labels(27), 0xc0, 12)
    expect(skipName(joined, 213, joined.length)).toBe(joined.length)
    const tooLong = at12(...labels(100), 0, ...labels(28), 0xc0, 12)
    expect(skipName(tooLong, 213, tooLong.length)).toBe(-1)
  })

  test('refuses a name with 33 pointers', () => {
    const chain = at12(0, ...Array.from({ length: 40 }, (_, i) => [0xc0, i === 0 ? 12 : 11 + 2 * i]).flat())
    expect(skipName(chain, 13 + 2 * 31, chain.length)).toBe(13 + 2 * 32)
    expect(skipName(chain, 13 + 2 * 32, chain.length)).toBe(-1)
  })

  test('ends within any bytes, or refuses the name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, at) => {
        const behind = skipName(bytes, at, bytes.length)
        expect(behind === -1 || (behind > at && behind <= bytes.length)).toBe(true)
      }),
    )
  })
})
