import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecodeError, Reader, Writer } from '../../../src/base/index.ts'
import { type Body, messages, NLMSG_DONE } from '../../../src/netlink/index.ts'
import type { Expression } from '../../../src/nft/index.ts'
import * as wire from '../../../src/nft/wire/index.ts'
import { readVector } from '../../support/vectors.ts'
import { bodyOf } from './bodies.ts'

function again<T>(body: Pick<Body<T, T>, 'read' | 'write'>, value: T): T {
  const out = new Writer()
  body.write(out, value)
  return body.read(new Reader(out.done()))
}

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const words = fc.string({ maxLength: 12 }).filter(text => !text.includes('\0'))
const bytes = fc.uint8Array({ minLength: 1, maxLength: 16 })
const codes = ['accept', 'drop', 'jump', 'goto', 'return', 'continue', 'break'] as const
const data = fc.oneof(
  bytes.map(value => ({ value })),
  fc.record({ code: fc.constantFrom(...codes), chain: words }).map(verdict => ({ verdict })),
)
const optional = { requiredKeys: ['kind'] as 'kind'[] }
const kind = <const K extends string>(name: K) => fc.constant(name)

/** A state that each element of a set can have. */
const state = fc.oneof(
  fc.record({ kind: kind('counter'), bytes: u64, packets: u64 }, optional),
  fc.record({ kind: kind('quota'), bytes: u64, consumed: u64, flags: u32 }, optional),
  fc.record({ kind: kind('other'), name: words.map(name => `x${name}`), data: bytes }),
)

const expressions: fc.Arbitrary<Expression> = fc.oneof(
  fc.record({ kind: kind('notrack') }),
  fc.record({ kind: kind('objref'), type: fc.constantFrom('counter' as const, 99), name: words }, optional),
  fc.record(
    { kind: kind('dynset'), set: words, key: u32, timeout: u64, expressions: fc.array(state) },
    optional,
  ),
  fc.record(
    { kind: kind('hash'), source: u32, seed: u32, type: fc.constantFrom('symhash' as const, 9) },
    optional,
  ),
  fc.record({ kind: kind('immediate'), destination: u32, data }, optional),
  fc.record(
    { kind: kind('meta'), key: fc.constantFrom('mark' as const, 'oifname' as const, 99), destination: u32 },
    optional,
  ),
  fc.record(
    { kind: kind('ct'), key: fc.constantFrom('state' as const, 'mark' as const, 99), source: u32 },
    optional,
  ),
  fc.record(
    { kind: kind('cmp'), source: u32, operation: fc.constantFrom('eq' as const, 'gte' as const, 77), data },
    optional,
  ),
  fc.record({ kind: kind('range'), source: u32, from: data, to: data }, optional),
  fc.record({ kind: kind('bitwise'), source: u32, length: u32, mask: data, xor: data }, optional),
  fc.record({ kind: kind('lookup'), set: words, source: u32, setId: u32, flags: u32 }, optional),
  fc.record({ kind: kind('limit'), rate: u64, unit: u64, burst: u32 }, optional),
  fc.record({ kind: kind('counter'), bytes: u64, packets: u64 }, optional),
  fc.record({ kind: kind('log'), prefix: words, group: fc.integer({ min: 0, max: 0xffff }) }, optional),
  fc.record(
    { kind: kind('nat'), type: fc.constantFrom('snat' as const, 'dnat' as const), addressMin: u32 },
    optional,
  ),
  fc.record(
    { kind: kind('numgen'), modulus: u32, mode: fc.constantFrom('inc' as const, 'random' as const) },
    optional,
  ),
  fc.record({ kind: kind('other'), name: words.map(name => `x${name}`), data: bytes }),
  fc.record({ kind: kind('masq'), unknown: fc.constant([{ type: 99, bytes: Uint8Array.of(1) }]) }),
)

test('expressions read back as they were written, those without a table as bytes', async () => {
  await fc.assert(
    fc.property(fc.array(expressions, { maxLength: 8 }), expressions => {
      const value = {
        family: 1,
        version: 0,
        resource: 0,
        attributes: { table: 't', chain: 'c', expressions },
      }
      expect(again(wire.ruleMessage, value)).toEqual(value)
    }),
    { numRuns: 300 },
  )
})

test('sets, elements, chains and tables read back as they were written', async () => {
  const frame = { family: fc.nat(255), version: fc.nat(255), resource: fc.nat(65535) }
  const message = <A>(attributes: fc.Arbitrary<A>) => fc.record({ ...frame, attributes })
  const none = { requiredKeys: [] }
  const times = { timeout: u64, expiration: u64 }
  const states = { expression: state, expressions: fc.array(state) }
  const parts = { key: data, data, flags: u32, userData: bytes, object: words, keyEnd: data }
  const element = fc.record({ ...parts, ...times, ...states }, none)
  const devices = fc.record(
    { names: fc.array(words, { minLength: 1 }), prefixes: fc.array(words, { minLength: 1 }) },
    none,
  )
  const hook = fc.record({ number: u32, priority: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }, none)
  const chain = fc.record({ table: words, name: words, hook, policy: u32, handle: u64 }, none)
  const check = (body: unknown, values: fc.Arbitrary<unknown>) =>
    fc.assert(
      fc.property(values, value => {
        expect(again(body as Body<unknown>, value)).toEqual(value)
      }),
      { numRuns: 100 },
    )
  await check(wire.elementsMessage, message(fc.record({ table: words, elements: fc.array(element) }, none)))
  await check(wire.chainMessage, message(chain))
  const described = fc.record({ size: u32, parts: fc.array(fc.record({ length: u32 })) }, none)
  const kind = { keyType: u32, timeout: u64, policy: fc.constantFrom('performance', 'memory', 9) }
  const set = fc.record({ name: words, ...kind, description: described, userData: bytes, ...states }, none)
  await check(wire.setMessage, message(set))
  const counter = fc.record({
    type: fc.constant('counter'),
    counter: fc.record({ bytes: u64, packets: u64 }),
  })
  const helper = fc.record({ type: fc.constant('ct helper'), 'ct helper': fc.record({ helper: words }) })
  const tunnel = fc.record({ type: fc.constantFrom('tunnel', 77), other: bytes })
  await check(wire.objectMessage, message(fc.oneof(counter, helper, tunnel)))
  const at = fc.record({ number: u32, priority: fc.nat(), devices }, none)
  await check(wire.flowtableMessage, message(fc.record({ name: words, hook: at, flags: u32 }, none)))
  await check(wire.tableMessage, message(fc.record({ name: words, flags: u32, handle: u64 }, none)))
})

const [, ...dumps] = readVector('nft/dump').datagrams as [Uint8Array, ...Uint8Array[]]

test("decoding and encoding loses nothing of the kernel's answers", () => {
  const kinds = new Set<string>()
  for (const { type, body } of dumps.flatMap(datagram => [...messages(datagram)]).filter(isKnown)) {
    const codec = bodyOf(type)
    const value = codec.read(body)
    expect(again(codec, value)).toEqual(value)
    const { expressions = [] } = (value as { attributes: { expressions?: Expression[] } }).attributes
    for (const expression of expressions) kinds.add(expression.kind)
    expect(
      JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each)),
    ).not.toContain('"other"')
  }
  for (const each of ['nat', 'redir', 'lookup', 'limit', 'log', 'ct', 'bitwise', 'range', 'numgen'])
    expect(kinds).toContain(each)
})

function isKnown({ type }: { type: number }): boolean {
  if (type === NLMSG_DONE) return false
  try {
    bodyOf(type)
    return true
  } catch {
    return false
  }
}

test('an answer with any byte changed, or truncated, decodes to a value or throws DecodeError with its offset', async () => {
  const datagram = dumps.find(bytes => bytes.length > 2000)!
  const read = (bytes: Uint8Array) => {
    try {
      for (const { type, body } of messages(bytes)) if (isKnown({ type })) bodyOf(type).read(body)
    } catch (failure) {
      expect(failure).toBeInstanceOf(DecodeError)
      expect((failure as DecodeError).offset).toBeLessThanOrEqual(bytes.length)
    }
  }
  await fc.assert(
    fc.property(fc.nat(datagram.length - 1), fc.nat(255), (at, value) => {
      read(datagram.with(at, value))
      read(datagram.subarray(0, at))
    }),
    { numRuns: 200 },
  )
})
