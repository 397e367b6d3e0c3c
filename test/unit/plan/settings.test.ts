import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clusterPlaces, namePattern, places } from '../../../src/base/index.ts'
import {
  mtusOf,
  planCluster,
  printSettings,
  resolveSettings,
  type SettingOptions,
  settingFor,
  settings,
  settingsFor,
} from '../../../src/plan/index.ts'

const read = (env: Record<string, string>) => resolveSettings({ env })

describe('resolveSettings', () => {
  test('has the defaults, and omits settings that the topology decides', () => {
    expect(resolveSettings({})).toEqual({
      nvm: 4,
      mem: 128,
      smp: 2,
      append: '',
      ovl: [],
      xovls: [],
      cdrom: '',
      ovlPath: [],
      with: [],
      packages: [],
      mtu: 1500,
      netSetup: '',
      hostNets: [0, 2],
      topology: 'xnet',
      xlanTemplate: '',
      disableMasquerade: 'no',
      name: 'default',
      prefix: 'fd00:',
      kernel: '',
      modules: '',
      rootfs: '',
      image: '',
      bootable: 'no',
      cidata: '',
      sshKey: '',
      trustBacking: 'no',
      init: 'xcluster',
      kvm: '',
      kvmOpt: '',
      uidBase: 1_900_000_000,
      machine: 'auto',
      accel: 'auto',
      clone: 'always',
      fabric: 'auto',
      telnetBase: 12_000,
      sshBase: 12_300,
      k8sPort: 18_080,
      k8sApiPort: 7443,
      mcastBase: 120,
      netns: '',
      uplink: 'off',
      ipv4Base: '172.30.0.0/24',
      ipv6Prefix: 'fd00:1723::',
      dns: 'on',
      dnsUpstream: 'on',
      dnsUpstreamCa: '',
      domain: '',
      dnsZone: [],
      dnsPolicy: 'sequential',
      dnsMixedCase: 'off',
      dnsRebindProtection: 'off',
      dnsRecord: [],
      dnsFilter: 'off',
      dns64: 'off',
      dnsSpoof: [],
      dnsHosts: '',
      dnsLog: '',
    })
  })

  test('reads the environment variables of the original xcluster', () => {
    const env = {
      __nvm: '2',
      __nets_vm: '0,3,2',
      xcluster_PREFIX: '1000::1',
      XCLUSTER_NAME: 'a',
      __nrouters: '1',
    }
    expect(read(env)).toMatchObject({ nvm: 2, netsVm: [0, 3, 2], prefix: '1000::1', name: 'a', nrouters: 1 })
  })

  test('prefers the command line to the environment', () => {
    expect(resolveSettings({ env: { __nvm: '2' }, options: { nvm: '3' } }).nvm).toBe(3)
    expect(resolveSettings({ env: { __nvm: '2' }, options: { nvm: 0 } }).nvm).toBe(0)
  })

  test('reads settings for one node', () => {
    const all = resolveSettings({
      env: { __mem3: '256', __append201: 'a=1' },
      options: { nets1: '0,4', smp3: 1 },
    })
    expect(all).toMatchObject({ mem3: 256, append201: 'a=1', nets1: [0, 4], smp3: 1 })
    expect([settingFor(all, 'mem', 3), settingFor(all, 'mem', 4)]).toEqual([256, 128])
  })

  test('reads settings for a role: a node has its own, else that of its role, else that of the cluster', () => {
    const all = resolveSettings({
      env: {
        __mem: '144',
        __mem_router: '256',
        __kernel_tester: '/boot/b',
        __memRouter: '999',
        __mtu_vm: '9000',
      },
      options: { mem202: 512, kernelVm: '/boot/a', smpRouter: '1' },
    })
    const mem = [1, 201, 202, 221].map(node => settingFor(all, 'mem', node))
    expect(mem).toEqual([144, 256, 512, 144])
    expect([1, 201, 221].map(node => settingFor(all, 'kernel', node))).toEqual(['/boot/a', '', '/boot/b'])
    expect([settingFor(all, 'smp', 'router'), settingFor(all, 'smp', 'vm')]).toEqual([1, 2])
    expect(printSettings(all)).toContain('\n__mem=144\n__mem202=512\n__mem_router=256\n')
    expect(resolveSettings({ options: JSON.parse(JSON.stringify(all)) })).toEqual(all)
    expect(all).not.toHaveProperty('mtuVm')
  })

  test('adds up kernel parameters and programs: those of the cluster, of the role and of the node', () => {
    const all = resolveSettings({
      env: { __append: 'a', __append_router: 'b', __with: 'strace', __with_router: 'tcpdump,ip' },
      options: { append201: 'c', with202: ['nft'] },
    })
    expect(settingsFor(all, 'append', 201)).toEqual(['a', 'b', 'c'])
    expect(settingsFor(all, 'append', 1)).toEqual(['a'])
    expect(settingsFor(all, 'with', 202).flat()).toEqual(['strace', 'tcpdump', 'ip', 'nft'])
    expect(planCluster(all).nodes.map(({ append }) => append)).toEqual(['a', 'a', 'a', 'a', 'a b c', 'a b'])
  })

  test('reads an MTU for one net', () => {
    const all = resolveSettings({ env: { __mtu0: '1400' }, options: { mtu255: '9000' } })
    expect([all.mtu, mtusOf(all)]).toEqual([1500, { 0: 1400, 255: 9000 }])
    expect(printSettings(all)).toContain('__mtu255=9000\n')
  })

  test('accepts its own result as options', () => {
    const all = resolveSettings({
      env: { __mem3: '256', __nets_router: '0,1' },
      options: { nvm: 1, hostNets: 'none' },
    })
    expect(resolveSettings({ options: JSON.parse(JSON.stringify(all)) })).toEqual(all)
  })

  test.each([
    [{ options: { nvm: '201' } }, "nvm: '201' is not a whole number from 0 to 200"],
    [{ options: { nrouters: -1 } }, "nrouters: '-1' is not a whole number from 0 to 20"],
    [{ env: { __mtu: '9k' } }, "__mtu: '9k' is not a whole number from 1280 to 65521"],
    [{ options: { mtu1: '70000' } }, "mtu1: '70000' is not a whole number from 1280 to 65521"],
    [{ env: { __nets3: '1,0' } }, "__nets3: '1,0' is not a list of different nets"],
    [{ options: { netsVm: [0, 0] } }, "netsVm: '[0,0]' is not a list"],
    [{ env: { xcluster_PREFIX: 'fd00' } }, "xcluster_PREFIX: 'fd00' is not an IPv6 prefix"],
    [{ options: { name: '../x' } }, "name: '../x' is not a valid cluster name"],
    [{ options: { accel: 'hvf' } }, "accel: 'hvf' is not one of auto, kvm, tcg"],
    [{ env: { __append: 'a\nb' } }, 'is not text on one line'],
  ])('refuses %j', (from, words) => {
    expect(() => resolveSettings(from as never)).toThrow(
      expect.objectContaining({ code: 'BAD_SETTING', kind: 'usage' }),
    )
    expect(() => resolveSettings(from as never)).toThrow(words)
  })

  const ranges = Object.entries(settings).flatMap(([key, { kind }]) => {
    const [, min, max] = /^a whole number from (\d+) to (\d+)$/.exec(kind.expects) ?? []
    return min === undefined ? [] : [[key, Number(min), Number(max)] as const]
  })

  test.each(ranges)('takes %s from %d to %d, and names this range for all else', (key, min, max) => {
    const take = (value: unknown) => resolveSettings({ options: { [key]: value } as SettingOptions })
    for (const good of [min, max, `${min}`, `${max}`, ` ${max} `])
      expect(take(good)).toHaveProperty(key, Number(good))
    const bad = [
      min - 1,
      max + 1,
      `${max}0000000000`,
      max - 0.5,
      `${max}.0`,
      '1e2',
      '0x50',
      '-0',
      '+1',
      '',
      ' ',
      Number.NaN,
    ]
    for (const value of [...bad, Number.POSITIVE_INFINITY, null, true, [], {}])
      expect(() => take(value)).toThrow(`is not a whole number from ${min} to ${max}`)
  })

  test('there are ranges for counts, memory, processors, MTU, ports, groups and user ids', () => {
    expect(ranges.map(([key]) => key).sort()).toEqual(
      [
        ...['nvm', 'nrouters', 'ntesters', 'mem', 'smp', 'mtu', 'uidBase', 'mcastBase'],
        ...['telnetBase', 'sshBase', 'k8sPort', 'k8sApiPort'],
      ].sort(),
    )
  })

  test.each([
    [
      'prefix',
      ['fd00:', '2001:db8:', '1000::1', 'fec0:'],
      ['ff02:', 'ff0e::1', 'fe80:', 'febf::1', ':', '::ffff', '::1', '', ' ', 'fd00', 'fd00::x'],
    ],
    ['ipv6Prefix', ['fd00:1723::', '2001:db8::'], ['ff02::', 'fe80::', '::', '::ffff:', '', 'fd00:']],
    [
      'ipv4Base',
      ['172.30', '172.30.0.0/24', '10.0.0.0/8', '223.255.255.0/31'],
      [
        '224.0.0.0/24',
        '127.0.0.0/24',
        '0.0.0.0/8',
        '255.255',
        '172.30.0.0',
        '172.30.0.0/32',
        '10.0.0.0/7',
        '172',
        '',
      ],
    ],
    ['name', ['a', 'x'.repeat(32), '0._-'], ['', ' ', 'x'.repeat(33), '-a', '.a', 'a/b', 'a b', 'é']],
    ['netsVm', ['0', '0,255', '0,3,2'], ['', '0,', '1', '0,256', '0,0', '0,-1', '0;1', 'none']],
    ['hostNets', ['none', '0', '255,0'], ['', ',', '0,0', '256', '-1']],
    ['uplink', ['off', 'on', '0', '255'], ['', 'yes', '256', '-1', '1.5']],
    ['netns', ['', 'a.b-c@d'], ['a/b', '.a', '..', 'a b']],
    ['append', ['', ' a=1 '], ['a\nb', 'a\0b']],
  ])('takes the edges of %s, and refuses what is beyond them', (key, good, bad) => {
    const take = (value: string) => resolveSettings({ options: { [key]: value } as SettingOptions })
    for (const value of good) expect(() => take(value)).not.toThrow()
    for (const value of bad)
      expect(() => take(value), value).toThrow(
        expect.objectContaining({ code: 'BAD_SETTING', kind: 'usage' }),
      )
  })

  test('the largest cluster name is the same for settings, paths and the help', () => {
    const longest = 'x'.repeat(32)
    expect(namePattern.test(longest)).toBe(true)
    expect(settings.name.kind.expects).toContain('1 to 32 letters')
    const tooLong = () => clusterPlaces(places({}, 0), `${longest}x`)
    expect(tooLong).toThrow('up to 32 letters')
  })

  test.each(['nvms', 'mem0', 'mem241', 'mtu256', 'mtu01', 'toString', 'nets1x', 'mtuVm', 'memHost'])(
    'refuses the unknown option %s',
    key => {
      expect(() => resolveSettings({ options: { [key]: '1' } as never })).toThrow(
        expect.objectContaining({ code: 'UNKNOWN_SETTING', kind: 'usage' }),
      )
    },
  )
})

describe('printSettings', () => {
  test('prints names in order, quoted where a shell would interpret the value', () => {
    const lines = printSettings(resolveSettings({ options: { append: "it's $HOME", mem3: 256 } })).split('\n')
    expect(lines).toContain("__append='it'\\''s $HOME'")
    expect(lines.slice(0, 2)).toEqual(['DISABLE_MASQUERADE=no', 'XCLUSTER_K8S_API_PORT=7443'])
    expect(lines.indexOf('__mem3=256')).toBe(lines.indexOf('__mem=128') + 1)
  })

  test('changes nothing when its output is evaluated', () => {
    const env = Object.fromEntries(
      printSettings(resolveSettings({}))
        .trim()
        .split('\n')
        .map(line => line.split('=') as [string, string]),
    )
    expect(read(env)).toEqual(resolveSettings({}))
  })

  test('keeps any text through a POSIX shell', () => {
    fc.assert(
      fc.property(
        fc.string().filter(text => !/[\n\0]/.test(text)),
        append => {
          const script = `${printSettings(resolveSettings({ options: { append } }))}printf %s "$__append"`
          expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(append)
        },
      ),
      { numRuns: 30 },
    )
  })
})

describe('settings of uplinks', () => {
  const given = (options: SettingOptions) => resolveSettings({ options })

  test.each([
    [{ uplink: 'on' }, { uplink: 'on' }],
    [{ uplink: '3' }, { uplink: 3 }],
    [{ ipv4Base: '172.30' }, { ipv4Base: '172.30' }],
    [{ ipv4Base: '10.0.0.16/28' }, { ipv4Base: '10.0.0.16/28' }],
    [{ ipv6Prefix: 'fd00:2::' }, { ipv6Prefix: 'fd00:2::' }],
    [{ netns: 'root_xcluster1' }, { netns: 'root_xcluster1' }],
  ] as [SettingOptions, object][])('%j is read', (options, settings) => {
    expect(given(options)).toMatchObject(settings)
  })

  test.each([
    [{ uplink: 'yes' }, /off, on \(the first free number\) or a number/],
    [{ uplink: 256 }, /a number from 0 to 255/],
    [{ ipv4Base: '172.300' }, /such as 172\.30$/],
    [{ ipv4Base: '172.30.0.0' }, /such as 172\.30\.0\.0\/24/],
    [{ ipv4Base: '172.30.0.0/32' }, /of \/8 to \/31/],
    [{ ipv6Prefix: 'fd00' }, /PREFIX192\.168\.0\.1 must be a unicast address/],
    [{ netns: '../etc' }, /as `ip netns` lists them/],
  ] as [SettingOptions, RegExp][])('%j is refused, and the error says what is allowed', (options, words) => {
    expect(() => given(options)).toThrow(words)
  })
})

test.each([
  ['nvms', 'Did you mean `nvm`?'],
  ['hostnets', 'Did you mean `hostNets`?'],
  ['mem241', 'SettingOptions lists all settings'],
])('a setting %s that does not exist is refused, and the nearest one named', (key, words) => {
  expect(() => resolveSettings({ options: { [key]: 1 } as never })).toThrow(words)
})
