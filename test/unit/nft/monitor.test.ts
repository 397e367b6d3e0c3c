import { expect, test } from 'vitest'
import { Writer } from '../../../src/base/index.ts'
import { type Body, type Message, messages, writeMessage } from '../../../src/netlink/index.ts'
import { EventReader, type NftEvent } from '../../../src/nft/monitor.ts'
import * as wire from '../../../src/nft/wire/index.ts'

const inet = 1

function message<V>(type: number, body: Pick<Body<unknown, V>, 'write'>, value: V): Message {
  const out = new Writer()
  writeMessage(out, { type, flags: 0, sequence: 5, port: 7 }, () => body.write(out, value))
  return messages(out.done()).next().value as Message
}

const set = (name: string, keyType: number, keyLength: number) =>
  message(wire.NFT_MSG_NEWSET, wire.setMessage, {
    family: inet,
    attributes: { table: 't', name, keyType, keyLength },
  })
const gone = (name: string) =>
  message(wire.NFT_MSG_DELSET, wire.setMessage, { family: inet, attributes: { table: 't', name } })
const element = (name: string, ...value: number[]) =>
  message(wire.NFT_MSG_NEWSETELEM, wire.elementsMessage, {
    family: inet,
    attributes: { table: 't', set: name, elements: [{ key: { value: Uint8Array.from(value) } }] },
  })
const end = (id: number) =>
  message(wire.NFT_MSG_NEWGEN, wire.generationMessage, { attributes: { id, process: 3, program: 'nft' } })

/** The events of these messages. */
function events(...all: readonly Message[]): NftEvent[] {
  const reader = new EventReader()
  return all.flatMap(each => reader.read(each) ?? [])
}

const [port, address] = [13, 7]

/** The keys of each event's elements. */
const keys = (all: readonly NftEvent[]) =>
  all.map(event =>
    event.type === 'transaction'
      ? event.changes.flatMap(change =>
          change.type === 'elements' ? change.elements.map(({ key }) => key) : [],
        )
      : [],
  )

test('the messages of a transaction are one event, at the message with its number', () => {
  const all = events(set('s', port, 2), element('s', 0, 22), element('s', 0, 53), end(4), end(5))
  expect(all).toMatchObject([
    {
      type: 'transaction',
      generation: 4,
      process: { id: 3, name: 'nft' },
      changes: [
        { type: 'set', gone: false, table: { family: 'inet', name: 't' }, set: { name: 's' } },
        { type: 'elements', gone: false, set: 's', elements: [{ key: 22 }, { key: 53 }] },
      ],
    },
    { type: 'transaction', generation: 5, changes: [] },
  ])
})

test('elements of a set whose making was missed are bytes, and do not end the monitor', () => {
  expect(keys(events(element('s', 0, 22), end(1)))).toEqual([[Uint8Array.of(0, 22)]])
  const replaced = [set('s', port, 2), end(1), element('s', 10, 0, 0, 1), end(2)]
  expect(keys(events(...replaced))).toEqual([[], [Uint8Array.of(10, 0, 0, 1)]])
})

test('a set that is made again with another type in one transaction is known by its new type', () => {
  const again = [
    set('s', port, 2),
    end(1),
    gone('s'),
    set('s', address, 4),
    element('s', 10, 0, 0, 1),
    end(2),
  ]
  expect(keys(events(...again, element('s', 10, 0, 0, 2), end(3)))).toEqual([[], ['10.0.0.1'], ['10.0.0.2']])
})
