import { expect, test } from 'vitest'
import { Sockets } from '../../../src/diag/index.ts'
import type * as genl from '../../../src/genl/index.ts'
import * as netlink from '../../../src/netlink/index.ts'
import * as rtnl from '../../../src/rtnl/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { type SamplesOf, takenWords, unsent } from './words.ts'

const read = () => undefined

/** The area of a decoder names it in traces alone. */
type Opening = '1.decoder.area'
type Calls = SamplesOf<typeof netlink>
const openings: { readonly [K in keyof Calls]: Omit<Calls[K], Opening> } = {
  connect: { '0': ['route'] },
  subscribe: { '0': ['route', { groups: [1], read }] },
}

/** A socket is given as it was listed; what it is known by is without its state. */
type Listed = '0.state'
const end = { address: '10.0.0.1', port: 7 }
const socket = { protocol: 'tcp', family: 4, state: 'listen', local: end, remote: end, cookie: '7' } as const
const counts = { receiveQueue: 0, sendQueue: 0, user: 0, inode: 0 }
const sockets: { [K in keyof SamplesOf<Sockets>]: Omit<SamplesOf<Sockets>[K], Listed> } = {
  list: { '0.protocol': [{ protocol: 'udp' }], '0.states.0': [{ states: ['listen'] }] },
  destroy: { '0.protocol': [{ ...socket, ...counts }] },
}

const monitors: SamplesOf<rtnl.Route> = { monitor: { '0.0': [['links']] } }

/** Generic netlink has no words: its families' names are the kernel's. */
const generic: [keyof SamplesOf<typeof genl>, keyof SamplesOf<genl.Generic & genl.WireGuard>] extends [
  never,
  never,
]
  ? true
  : never = true

type Call = (...args: readonly unknown[]) => unknown

async function allTaken(samples: object, call: (name: string) => Call, sent = () => 0): Promise<string[]> {
  const failures: string[] = []
  for (const [name, places] of Object.entries(samples)) {
    const made = async (args: readonly unknown[]) => {
      const opened = (await call(name)(...args)) as Partial<AsyncDisposable> | undefined
      await opened?.[Symbol.asyncDispose]?.()
    }
    failures.push(...(await takenWords({ name, call: args => unsent(() => made(args), sent) }, places)))
  }
  return failures
}

test('words that netlink does not know are refused', async () => {
  const calls = netlink as unknown as Readonly<Record<string, Call>>
  expect(await allTaken(openings, name => calls[name]!)).toEqual([])
  await using route = rtnl.openRoute()
  const of = { monitor: (...args: readonly unknown[]) => route.monitor(...(args as [[]])) }
  expect(await allTaken(monitors, name => of[name as 'monitor'])).toEqual([])
  expect(generic).toBe(true)
})

test('words that diag does not know are refused before anything is sent', async () => {
  const kernel = new FakeKernel()
  kernel.handler = request =>
    (request.flags & netlink.NLM_F_DUMP) === netlink.NLM_F_DUMP
      ? kernel.dump(request, { type: 0, body: { write: () => {} }, values: [] })
      : kernel.ack({ ...request, flags: request.flags | 4 })
  await using open = new Sockets(new netlink.Connection(kernel))
  const calls = open as unknown as Readonly<Record<string, Call>>
  const call =
    (name: string) =>
    (...args: readonly unknown[]) => {
      kernel.sends.length = 0
      return calls[name]!.call(open, ...args)
    }
  expect(await allTaken(sockets, call, () => kernel.sends.length)).toEqual([])
})
