import { expect, test } from 'vitest'
import type { ClusterNode } from '../../../src/cluster/nodes/node.ts'
import { type Verified, verifyCluster } from '../../../src/cluster/verify.ts'
import { planCluster } from '../../../src/plan/cluster.ts'
import { resolveSettings } from '../../../src/plan/index.ts'
import {
  asked,
  askedGuest,
  done,
  isFile,
  message,
  piece,
  requestOf,
  type Saying,
} from '../../support/asked-guest.ts'
import { FakeWorld } from '../../support/fake-world.ts'

/** `RTM_NEW…` of a listing's `RTM_GET…` (linux/rtnetlink.h). */
const answerType = (type: number) => type - 2
const mostAnswered = 1 << 20

/** A guest that says this to a listing, and gives every file. */
const listing =
  (says: (request: ReturnType<typeof requestOf>) => readonly Uint8Array[]): Saying =>
  (number, question) =>
    isFile(question)
      ? [piece(number, Buffer.from('1\n')), asked(number)]
      : [...says(requestOf(question)).map(bytes => piece(number, bytes)), asked(number)]

/** A guest whose kernel has nothing: it answers, so that it is verified. */
const empty = listing(({ sequence }) => [done(sequence)])

/** Bytes of a message's fixed part, by its listing: link, address, route, neighbour, rule, qdisc (linux/rtnetlink.h). */
const fixed: Readonly<Record<number, number>> = { 18: 16, 22: 8, 26: 12, 30: 12, 34: 12, 38: 20 }

/** As many bytes of messages as one answer may have, each without an attribute. */
function filled({ sequence, type }: ReturnType<typeof requestOf>, bytes: number): Uint8Array[] {
  const one = message({ type: answerType(type), sequence }, Buffer.alloc(fixed[type]!))
  const datagram = Buffer.concat(Array.from({ length: Math.floor(30_000 / one.length) }, () => one))
  return Array.from({ length: Math.floor(bytes / datagram.length) }, () => datagram)
}

/** What a guest may say in place of an answer, and what is then known of it. */
const kinds: readonly [name: string, says: Saying, known: RegExp, refused?: 'refused'][] = [
  ['garbage', listing(() => [Buffer.alloc(40, 7)]), /NLMSG|netlink|length|malformed|bytes/i],
  [
    'a message that claims gigabytes',
    listing(({ sequence, type }) => [message({ type: answerType(type), sequence, length: 0xffff_ffff })]),
    /length|bytes/i,
  ],
  [
    'a message that claims nothing',
    listing(({ sequence, type }) => [message({ type: answerType(type), sequence, length: 0 })]),
    /length|bytes/i,
  ],
  [
    'a listing without end',
    listing(request => filled(request, 8 * mostAnswered)),
    /1048576|silent|answer/i,
    'refused',
  ],
  [
    'a frame that claims gigabytes',
    number => [
      Buffer.concat([Buffer.from([255, 255, 255, 255, 11, 0, 0, 0]), piece(number, empty0).subarray(8)]),
    ],
    /4294967295/,
    'refused',
  ],
  [
    'a listing that was interrupted, always',
    listing(({ sequence }) => [message({ type: 3, sequence, flags: 2 | 16 }, Buffer.alloc(4))]),
    /./,
  ],
  [
    'attributes that are longer than their message',
    listing(({ sequence, type }) => [
      message({ type: answerType(type), sequence }, Buffer.alloc(40, 255)),
      done(sequence),
    ]),
    /./,
  ],
  ['nothing', () => [], /none within 10 s/],
  ['the answer to another question', listing(({ sequence }) => [done(sequence + 1)]), /none within 10 s/],
  ['no end of the listing', listing(() => []), /none within 10 s/],
]
const empty0 = new Uint8Array(4)

/** Verifies one guest of each of these, and one that answers. */
async function verified(says: readonly Saying[]) {
  const world = new FakeWorld()
  const guests = [empty, ...says].map(each => askedGuest(each, world.manual))
  const plan = planCluster(resolveSettings({ options: { nvm: guests.length, nrouters: 0 } }))
  const nodes = plan.nodes.map((node, index) => {
    const { channel } = guests[index]!
    return { plan: node, state: 'ready', channel } as unknown as ClusterNode
  })
  const cluster = { current: () => ({ nodes, plan }), kind: 'bridge', clock: world.manual } as const
  const began = world.manual.now()
  const result: Verified = await world.passing(verifyCluster(cluster, { withinMs: 1, signal: undefined }))
  return { result, guests, ms: world.manual.now() - began }
}

const ofGuest = ({ differences }: Verified, name: string) =>
  differences.filter(({ node, what }) => node === name && what === 'guest')

test.for(kinds)(
  'a guest that answers questions with %s is named, and the others are verified',
  async ([, says, known, refused]) => {
    const { result, guests, ms } = await verified([says])
    expect(ofGuest(result, 'vm-002')).toEqual([
      { node: 'vm-002', what: 'guest', should: 'an answer', is: expect.stringMatching(known) },
    ])
    expect(ofGuest(result, 'vm-001')).toEqual([])
    expect(result.differences.some(({ node }) => node === 'vm-001')).toBe(true) // it was read: it has nothing
    expect(guests.map(({ isClosed }) => isClosed())).toEqual([false, refused === 'refused'])
    expect(ms).toBeLessThanOrEqual(10_500)
  },
)

test('guests that lie in all ways at once are named each, within the time of one', async () => {
  const { result, ms } = await verified(kinds.map(([, says]) => says))
  const named = kinds.map((_, index) => `vm-${String(index + 2).padStart(3, '0')}`)
  expect(named.filter(name => ofGuest(result, name).length !== 1)).toEqual([])
  expect(ms).toBeLessThanOrEqual(10_500)
})

test('a guest that has as much of everything as answers may have is compared', {
  timeout: 60_000,
}, async () => {
  const rules = 34
  const { result } = await verified([
    listing(request => [
      ...(request.type === rules ? [] : filled(request, mostAnswered - 60_000)),
      done(request.sequence),
    ]),
  ])
  expect(ofGuest(result, 'vm-002')).toEqual([])
  expect(result.differences.some(({ node }) => node === 'vm-002')).toBe(true)
  for (const { is } of result.differences) expect(is.length).toBeLessThanOrEqual(600)
})
