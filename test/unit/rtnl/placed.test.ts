import { expect, test } from 'vitest'
import { placedMessages } from '../../../src/rtnl/index.ts'
import { readVector } from '../../support/vectors.ts'

test('messages for another kernel say where the indexes of its links belong', () => {
  const ways = ['eth1', 'br1'].map((dev, at) => ({ dev, via: `192.168.1.20${at}` }))
  const messages = placedMessages(({ links, addresses, routes }) => {
    links.change({ name: 'eth1', up: true })
    addresses.add({ link: 'eth1', address: '192.168.1.1', prefix: 24 })
    routes.replace({ destination: 'default', ways })
    links.change({ name: 'eth2', master: 'br1' })
  })
  expect(messages.map(({ about, places }) => [about, places])).toEqual([
    ['change link eth1', []],
    ['add address 192.168.1.1/24 (eth1)', [{ offset: 20, name: 'eth1' }]],
    [
      'replace route default',
      [
        { offset: 36, name: 'eth1' },
        { offset: 52, name: 'br1' },
      ],
    ],
    ['change link eth2', [{ offset: 36, name: 'br1' }]],
  ])
})

test.for([4, 6] as const)('a rule of IPv%i equals the one that ip sends', family => {
  const [sent] = readVector(`rtnl/rule-add-${family}`).datagrams
  const [message] = placedMessages(({ rules }) => rules.add({ family, outDev: 'lo', table: 300 }))
  const bytes = Buffer.from(message!.bytes)
  Buffer.from(sent!).copy(bytes, 8, 8, 12) // ip starts its sequence numbers at the current time
  expect(bytes.toString('hex')).toBe(Buffer.from(sent!).toString('hex'))
})
