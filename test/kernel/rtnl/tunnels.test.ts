import { expect } from 'vitest'
import { geneve, type LinkSpec, NetlinkError, openRoute, tunnel, wireguard } from '../../../src/rtnl/index.ts'
import { NetNamespace } from '../../../src/sys/index.ts'
import { test } from '../../support/leaks.ts'
import { ipJson } from '../../support/namespace.ts'

const four = { remote: '10.0.0.2', local: '10.0.0.1', ttl: 64 }
const six = { remote: 'fd00::2', local: 'fd00::1', ttl: 64 }

const kinds: [kind: string, spec: LinkSpec, shown: object][] = [
  [
    'geneve',
    geneve({ name: 't', vni: 42, remote: '10.0.0.2', port: 6082 }),
    { id: 42, remote: '10.0.0.2', port: 6082 },
  ],
  [
    'gre',
    tunnel({ name: 't', kind: 'gre', ...four, inputKey: 7, outputKey: 7 }),
    { ikey: '0.0.0.7', okey: '0.0.0.7' },
  ],
  [
    'gretap',
    tunnel({ name: 't', kind: 'gretap', ...four }),
    { remote: '10.0.0.2', local: '10.0.0.1', ttl: 64 },
  ],
  ['ip6gre', tunnel({ name: 't', kind: 'ip6gre', ...six }), { remote: 'fd00::2', local: 'fd00::1' }],
  ['ipip', tunnel({ name: 't', kind: 'ipip', ...four }), { remote: '10.0.0.2', ttl: 64 }],
  ['sit', tunnel({ name: 't', kind: 'sit', ...four }), { remote: '10.0.0.2', ttl: 64 }],
  ['ip6tnl', tunnel({ name: 't', kind: 'ip6tnl', ...six, protocol: 41 }), { remote: 'fd00::2' }],
  [
    'vti',
    tunnel({ name: 't', kind: 'vti', remote: '10.0.0.2', local: '10.0.0.1', inputKey: 5 }),
    { ikey: '0.0.0.5' },
  ],
  ['wireguard', wireguard({ name: 't' }), {}],
]

test.for(kinds)(
  'ip and the library show a %s as it was created, where the kernel has it',
  async ([kind, spec, shown], { skip }) => {
    await using namespace = NetNamespace.create()
    await using route = openRoute({ namespace })
    try {
      await route.links.add(spec)
    } catch (refusal) {
      if (!(refusal instanceof NetlinkError) || refusal.code !== 'LINK_KIND_MISSING') throw refusal
      expect(refusal.message).toMatch(
        new RegExp(`^create ${kind} t: .*This kernel has no ${kind} links: load the module`),
      )
      return skip(`this kernel has no ${kind} links`)
    }
    const [link] = await ipJson<{ linkinfo: { info_kind: string; info_data?: object } }>(namespace, [
      '-d',
      'link',
      'show',
      't',
    ])
    expect(link?.linkinfo.info_kind).toBe(kind)
    expect(link?.linkinfo.info_data ?? {}).toMatchObject(shown)
    const listed = await route.links.get('t')
    expect(listed).toMatchObject({
      kind,
      ...(spec.tunnel && { tunnel: spec.tunnel }),
      ...(spec.geneve && { geneve: spec.geneve }),
    })
  },
)
