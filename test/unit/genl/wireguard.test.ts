import { expect, test } from 'vitest'
import { Generic, WireGuard } from '../../../src/genl/index.ts'
import { controlMessage, genericMessage } from '../../../src/genl/wire/generic.ts'
import { type DeviceAttributes, deviceAttributes } from '../../../src/genl/wireguard/wire.ts'
import { Connection, NLM_F_DUMP } from '../../../src/netlink/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'

const deviceMessage = genericMessage(deviceAttributes)
const key = (byte: number) => Buffer.alloc(32, byte).toString('base64')
const familyId = 0x21

/** A kernel with the family `wireguard`, which answers with these parts of a device. */
function kernelWith(parts: readonly DeviceAttributes[]): [FakeKernel, WireGuard] {
  const kernel = new FakeKernel()
  kernel.handler = seen => {
    if (seen.type === 0x10) {
      const { name } = controlMessage.read(seen.body).attributes
      const value = { command: 1, version: 2, attributes: { id: familyId, name, version: 1 } }
      kernel.reply(seen, { type: 0x10, body: controlMessage, value })
      kernel.ack(seen)
    } else if ((seen.flags & NLM_F_DUMP) === NLM_F_DUMP) {
      const values = parts.map(attributes => ({ command: 0, version: 1, attributes }))
      kernel.dump(seen, { type: familyId, body: deviceMessage, values })
    } else kernel.ack(seen)
  }
  return [kernel, new WireGuard(new Generic(new Connection(kernel)))]
}

const nested = (type: string, content: string) => {
  const length = Buffer.alloc(2)
  length.writeUInt16LE(4 + content.length / 2)
  return `${length.toString('hex')}${type}80${content}`
}

/** By hand, from the description in linux/wireguard.h. */
const allowed = nested('00', ['0600010002000000', '080002000a000000', '0500030008000000'].join(''))
const peer = [
  `24000100${'02'.repeat(32)}`, // PUBLIC_KEY
  '0800030002000000', // FLAGS: REPLACE_ALLOWEDIPS
  '14000400 0200ca6c c0000201 0000000000000000'.replaceAll(' ', ''), // ENDPOINT 192.0.2.1:51820
  '0600050019000000', // PERSISTENT_KEEPALIVE_INTERVAL 25
  nested('09', allowed), // ALLOWEDIPS
].join('')
const expected = [
  '01010000', // WG_CMD_SET_DEVICE, version 1
  '0800020077673000', // IFNAME wg0
  `24000300${'01'.repeat(32)}`, // PRIVATE_KEY
  '0800050001000000', // FLAGS: REPLACE_PEERS
  '060006006cca0000', // LISTEN_PORT 51820
  '0800070007000000', // FWMARK
  nested('08', nested('00', peer)), // PEERS
].join('')

test('a change is encoded as linux/wireguard.h describes it', async () => {
  const [kernel, wireGuard] = kernelWith([])
  await wireGuard.set('wg0', {
    ...{ privateKey: key(1), port: 51820, mark: 7, replacePeers: true },
    peers: [
      {
        publicKey: key(2),
        ...{ endpoint: { address: '192.0.2.1', port: 51820 }, keepalive: 25 },
        ...{ allowed: ['10.0.0.0/8'], replaceAllowed: true },
      },
    ],
  })
  const sent = kernel.sends.at(-1)![0]!
  expect(sent.type).toBe(familyId)
  expect(Buffer.from(sent.bytes.subarray(16)).toString('hex')).toBe(expected)
})

test('a device whose peers are spread over several messages is put together', async () => {
  const publicKey = Buffer.alloc(32, 2)
  const network = (last: number) => ({ family: 2, address: Uint8Array.of(10, 0, 0, last), prefix: 32 })
  const [, wireGuard] = kernelWith([
    {
      ...{ index: 7, name: 'wg0', port: 51820, mark: 0, privateKey: Buffer.alloc(32, 1) },
      peers: [
        {
          publicKey,
          endpoint: Buffer.from(`0a00ca6c00000000${'20010db8'}${'00'.repeat(11)}0100000000`, 'hex'),
          ...{ keepalive: 25, received: 100, sent: 200, presharedKey: Buffer.alloc(32) },
          lastHandshake: { seconds: 1_700_000_000, nanoseconds: 500_000_000 },
          allowed: [network(1)],
        },
      ],
    },
    {
      index: 7,
      name: 'wg0',
      peers: [{ publicKey, allowed: [network(2)] }, { publicKey: Buffer.alloc(32, 3) }],
    },
  ])
  expect(await wireGuard.get('wg0')).toEqual({
    ...{ index: 7, name: 'wg0', port: 51820, mark: 0, privateKey: key(1) },
    peers: [
      {
        publicKey: key(2),
        ...{ keepalive: 25, received: 100, sent: 200, lastHandshake: 1_700_000_000.5 },
        ...{ allowed: ['10.0.0.1/32', '10.0.0.2/32'], endpoint: { address: '2001:db8::1', port: 51820 } },
      },
      { publicKey: key(3), keepalive: 0, received: 0, sent: 0, allowed: [] },
    ],
  })
})

test('many peers go in several messages, and only the first replaces them', async () => {
  const [kernel, wireGuard] = kernelWith([])
  const peers = Array.from({ length: 130 }, (_, at) => ({
    publicKey: Buffer.alloc(32, at + 1).toString('base64'),
  }))
  await wireGuard.set('wg0', { port: 1, replacePeers: true, peers })
  const changes = kernel.sends.slice(1).map(([sent]) => deviceMessage.read(sent!.body).attributes)
  expect(changes.map(({ peers, flags, port }) => [peers?.length, flags, port])).toEqual([
    [64, 1, 1],
    [64, undefined, undefined],
    [2, undefined, undefined],
  ])
})

test('a key or a port that cannot be one is refused before anything is sent', async () => {
  const [kernel, wireGuard] = kernelWith([])
  await expect(wireGuard.set('wg0', { privateKey: 'short' })).rejects.toMatchObject({
    code: 'NETLINK_ENCODE',
  })
  const peers = [{ publicKey: key(2), endpoint: { address: '192.0.2.1', port: 65_536 } }]
  await expect(wireGuard.set('wg0', { peers })).rejects.toThrow('endpoint.port: 65536 is not an integer')
  expect(kernel.sends.flat().filter(({ type }) => type === familyId)).toEqual([])
})
