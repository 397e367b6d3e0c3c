import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLinkName } from '../../../src/base/index.ts'

test('a link name has 1 to 15 bytes, and nothing that the kernel refuses, cuts or expands', () => {
  for (const name of ['lo', 'xcbr0_t240', 'fifteen_bytes_1', 'eth0.100', 'a~', 'äöü', '...'])
    expect(isLinkName(name), name).toBe(true)
  for (const name of ['', '.', '..', 'sixteen_bytes_16', 'ääääääää', 'a b', 'a/b', 'a:b', 'tap%d', 'a\0b'])
    expect(isLinkName(name), name).toBe(false)
  for (const name of ['a\tb', 'a\x7f', 'a\u00a0b', 'ä/b', 'ä b', 'ä\0'])
    expect(isLinkName(name), name).toBe(false)
})

test('the rule for any text is that of one regular expression', () => {
  const rule = (name: string) =>
    /^[^\s\p{Cc}/%:]+$/u.test(name) && !/^\.\.?$/.test(name) && Buffer.byteLength(name) <= 15
  const text = fc.oneof(fc.string({ maxLength: 17 }), fc.string({ unit: 'binary', maxLength: 8 }))
  fc.assert(fc.property(text, name => isLinkName(name) === rule(name)))
})
