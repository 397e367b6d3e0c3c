import { expect, test } from 'vitest'
import { Generic, WireGuard } from '../../../src/genl/index.ts'
import { GenericDecoder } from '../../../src/genl/trace.ts'
import { controlMessage } from '../../../src/genl/wire/generic.ts'
import { Connection, type NetlinkTraceValue } from '../../../src/netlink/index.ts'
import { FakeKernel } from '../../support/netlink-fake.ts'
import { Traces } from '../../support/traces.ts'

const control = 16
const wireguard = 30
const key = Buffer.alloc(32, 7).toString('base64')

function traced() {
  const kernel = new FakeKernel()
  kernel.handler = request => {
    if (request.type === control) {
      const attributes = { id: wireguard, name: 'wireguard' }
      kernel.reply(request, {
        type: control,
        body: controlMessage,
        value: { command: 1, version: 2, attributes },
      })
    }
    kernel.ack(request)
  }
  const decoder = new GenericDecoder()
  const generic = new Generic(new Connection(kernel, { decoder }), {}, decoder)
  return { generic, traces: new Traces<NetlinkTraceValue>('netlink') }
}

test('generic netlink is traced with the names of families, commands and attributes', async () => {
  const { generic, traces } = traced()
  using _ = traces
  await new WireGuard(generic).set('wg0', { port: 5, peers: [{ publicKey: key, allowed: ['10.0.0.0/8'] }] })
  const lines = traces.lines.map(line => line.replace(/sequence: \d+(, flags: \S+)? ?/, ''))
  expect(lines[0]).toBe(
    '-> generic: nlctrl find generic netlink family wireguard {body: {command: CTRL_CMD_GETFAMILY, version: 2, reserved: 0, attributes: {name: wireguard}}}',
  )
  expect(lines[1]).toContain('<- generic: nlctrl find generic netlink family wireguard')
  expect(lines[1]).toContain('command: CTRL_CMD_NEWFAMILY')
  expect(lines.find(line => line.startsWith('-> generic: wireguard configure'))).toContain(
    'command: WG_CMD_SET_DEVICE',
  )
})

test('no key of WireGuard gets into a trace', async () => {
  const { generic, traces } = traced()
  using _ = traces
  const peers = [{ publicKey: Buffer.alloc(32, 1).toString('base64'), presharedKey: key }]
  await new WireGuard(generic).set('wg0', { privateKey: key, peers })
  const text = traces.lines.join('\n')
  expect(text).toContain('privateKey: "(secret, 32 bytes)"')
  expect(text).toContain('presharedKey: "(secret, 32 bytes)"')
  expect(text).not.toContain('07070707')
  expect(text).not.toContain('07 07 07')
})

test('a family that was not asked for is traced as bytes', () => {
  const decoder = new GenericDecoder()
  expect(decoder.nameOf(99)).toBeUndefined()
  expect(decoder.nameOf(control)).toBe('nlctrl')
})
