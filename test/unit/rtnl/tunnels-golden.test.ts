import { expect, test } from 'vitest'
import { messages } from '../../../src/netlink/index.ts'
import { geneve, type LinkSpec, tunnel, wireguard } from '../../../src/rtnl/index.ts'
import { linkOf } from '../../../src/rtnl/link/link.ts'
import { addLink } from '../../../src/rtnl/link/requests.ts'
import { type LinkMessage, linkMessage } from '../../../src/rtnl/wire/index.ts'
import { encode, messagesOf, names, roundTrips } from './golden.ts'

const four = { remote: '10.0.0.2', local: '10.0.0.1' }
const six = { remote: 'fd00::2', local: 'fd00::1' }

const said: [vector: string, spec: LinkSpec][] = [
  [
    'geneve-add',
    geneve({
      ...{ name: 'gn0', vni: 42, remote: '10.0.0.2', ttl: 9, tos: 4, port: 6082 },
      ...{ udpChecksum: false, dontFragment: 'set' },
    }),
  ],
  [
    'geneve-add-6',
    geneve({ name: 'gn0', vni: 42, remote: 'fd00::2', label: 0x77, udpZeroChecksum6Tx: true }),
  ],
  ['geneve-external', geneve({ name: 'gn0', external: true })],
  [
    'gre-add',
    tunnel({
      ...{ name: 'gre9', kind: 'gre', ...four, dev: 'a0', ttl: 64, pathMtuDiscovery: true },
      ...{ inputKey: 7, outputKey: 7, outputChecksum: true, inputSequence: true },
    }),
  ],
  [
    'gretap-add',
    tunnel({ name: 'gt9', kind: 'gretap', ...four, ttl: 64, pathMtuDiscovery: false, ignoreDf: true }),
  ],
  [
    'ip6gre-add',
    tunnel({ name: 'g69', kind: 'ip6gre', ...six, ttl: 9, encapLimit: 3, udpFlags: 2, erspanVersion: 1 }),
  ],
  ['gre-external', tunnel({ name: 'gre9', kind: 'gre', external: true })],
  ['ipip-add', tunnel({ name: 'ii9', kind: 'ipip', ...four, ttl: 64, pathMtuDiscovery: true, mark: 5 })],
  [
    'sit-add',
    tunnel({
      ...{ name: 'st9', kind: 'sit', ...four, ttl: 64, pathMtuDiscovery: true },
      ...{ udpType: 1, udpSourcePort: 5555, udpDestinationPort: 5556 },
    }),
  ],
  [
    'ip6tnl-add',
    tunnel({ name: 'i69', kind: 'ip6tnl', ...six, ttl: 9, protocol: 41, encapLimit: 4, udpFlags: 2 }),
  ],
  ['vti-add', tunnel({ name: 'vt9', kind: 'vti', ...four, inputKey: 5, outputKey: 5 })],
  ['vti6-add', tunnel({ name: 'v69', kind: 'vti6', ...six, inputKey: 5, outputKey: 6 })],
  ['wireguard-add', wireguard({ name: 'wg9' })],
]

type Info = NonNullable<LinkMessage['attributes']['linkInfo']>

/** ip writes out some settings that are 0 or off, which they are without it too. */
const meaning = ({ attributes }: LinkMessage) => {
  const info = (attributes.linkInfo ?? {}) as Info & Record<string, unknown>
  const kind = info.kind ?? ''
  const settings = Object.entries(info[kind] ?? {}).filter(([, value]) => value !== 0 && value !== false)
  return { name: attributes.name, kind, settings: Object.fromEntries(settings) }
}

test.each(said)('%s: the link is created as ip creates it', (vector, spec) => {
  const theirs = messagesOf(vector)[0]!.value as LinkMessage
  const ours = addLink(spec).requests(names)[0]!
  const [message] = messages(encode(ours.type, 0, out => ours.body.write(out, ours.value)))
  expect(meaning(linkMessage.read(message!.body))).toEqual(meaning(theirs))
})

test.each(said)('%s: a link is listed with the settings that it was created with', (vector, spec) => {
  const listed = linkOf(messagesOf(vector)[0]!.value as LinkMessage)
  const { dev: _, ...settings } = { ...spec.tunnel, ...spec.geneve, dev: undefined }
  expect({ kind: listed.kind, ...listed.tunnel, ...listed.geneve }).toMatchObject({
    kind: spec.kind,
    ...settings,
  })
})

roundTrips(...said.map(([vector]) => vector))
