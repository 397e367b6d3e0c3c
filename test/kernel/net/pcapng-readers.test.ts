import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect } from 'vitest'
import { pcapngEnd, pcapngStart } from '../../../src/net/capture/pcapng.ts'
import { decodeFrame, frameFilter } from '../../../src/net/index.ts'
import { frames } from '../../support/frames.ts'
import { test } from '../../support/leaks.ts'
import { pcapngPackets } from '../../support/pcapng-packets.ts'

/** The reference readers, where they are installed. Otherwise the reason not to use one. */
const lacks = (program: string) =>
  spawnSync(program, ['--version']).error ? `${program} is not installed` : undefined
const without = { tshark: lacks('tshark'), capinfos: lacks('capinfos'), tcpdump: lacks('tcpdump') }

const directory = mkdtempSync(join(tmpdir(), 'xc-pcapng-'))
afterAll(() => rmSync(directory, { recursive: true }))
const file = join(directory, 'all.pcapng')
const at = 1_700_000_000_000
const names = Object.keys(frames)
const packets = names.map((name, index) => ({ link: index % 2, at: at + index, bytes: frames[name]! }))
const counts = { from: at, to: at + 1000, received: 30, dropped: 4, delivered: 9 }
writeFileSync(
  file,
  Buffer.concat([
    pcapngStart([{ name: 'vm-001/eth1', filter: 'ip' }, { name: 'vm-002/eth1' }], 'xcluster'),
    pcapngPackets(packets),
    pcapngEnd([
      { link: 0, ...counts },
      { link: 1, ...counts },
    ]),
  ]),
)

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The lines of tshark: one a frame, with these fields. */
function fields(...wanted: string[]): string[][] {
  const asked = wanted.flatMap(field => ['-e', field])
  const options = [
    '-o',
    'tcp.relative_sequence_numbers:false',
    '-o',
    'ip.defragment:false',
    '-E',
    'occurrence=f',
    '-T',
    'fields',
  ]
  const output = run('tshark', '-n', '-r', file, ...options, ...asked)
  return output
    .slice(0, -1)
    .split('\n')
    .map(line => line.split('\t'))
}

describe('wireshark', () => {
  test('finds the interfaces, frames, times and dropped frames of a capture file', ({ skip }) => {
    skip(without.capinfos !== undefined, without.capinfos)
    const about = run('capinfos', file)
    expect(about).toMatch(/Number of packets: +18/)
    expect(about).toMatch(/Number of interfaces in file: 2/)
    expect(about).toMatch(/Name = vm-001\/eth1/)
    expect(about).toMatch(/Filter string = ip/)
    expect(about).toMatch(/Time precision = microseconds/)
    const seen = fields('frame.interface_name', 'frame.time_epoch')
    expect(seen).toEqual(
      names.map((_, index) => [
        `vm-00${1 + (index % 2)}/eth1`,
        `1700000000.0${String(index).padStart(2, '0')}000000`,
      ]),
    )
  })

  test('decodes the same headers as this library', ({ skip }) => {
    skip(without.tshark !== undefined, without.tshark)
    const seen = fields(
      ...[
        'eth.src',
        'eth.dst',
        'vlan.id',
        'arp.opcode',
        'arp.dst.proto_ipv4',
        'ip.src',
        'ip.ttl',
        'ip.dsfield.dscp',
      ],
      ...[
        'ipv6.dst',
        'ipv6.hlim',
        'tcp.srcport',
        'tcp.dstport',
        'tcp.seq',
        'tcp.ack',
        'tcp.window_size_value',
      ],
      ...['tcp.flags.syn', 'tcp.flags.ack', 'udp.dstport', 'icmp.type', 'icmp.seq', 'icmpv6.type'],
    )
    const ours = names.map(name => {
      const { ethernet, vlans, arp, ip, tcp, udp, icmp, icmp6 } = decodeFrame(frames[name]!)!
      const [v4, v6] = [ip?.version === 4 ? ip : undefined, ip?.version === 6 ? ip : undefined]
      const flag = (which: 'syn' | 'ack') => tcp && Number(tcp.flags.includes(which))
      return [
        ...[ethernet.source, ethernet.destination, vlans[0], arp?.operation, arp?.targetAddress],
        ...[v4?.source, v4?.ttl, v4?.dscp, v6?.destination, v6?.ttl, tcp?.sourcePort, tcp?.destinationPort],
        ...[tcp?.sequence, tcp?.acknowledgement, tcp?.window, flag('syn'), flag('ack')],
        ...[udp?.destinationPort, icmp?.type, icmp?.sequence, icmp6?.type],
      ].map(value => `${value ?? ''}`)
    })
    const whole = (rows: string[][]) => rows.filter((_, index) => names[index] !== 'unreachable')
    expect(whole(seen)).toEqual(whole(ours)) // tshark also has the fields of the packet in an ICMP error
  })
})

describe('tcpdump', () => {
  test('reads a capture file of several interfaces to its end', ({ skip }) => {
    skip(without.tcpdump !== undefined, without.tcpdump)
    expect(run('tcpdump', '-nr', file, '--count')).toMatch(/^18 packets/)
  })

  test.for([
    ...['arp', 'tcp port 80', 'tcp dst port 80', 'port 53 or 443', 'icmp or icmp6', 'ip and not udp'],
    ...[
      'host 192.168.1.2',
      'src host 192.168.1.2',
      'net 192.168.1.0/24',
      'dst net fd00::/16',
      'portrange 6000-6004',
    ],
    ...['ether src 00:00:00:01:01:01', 'ether proto 0x88cc', 'ip proto 89', 'multicast', 'ether broadcast'],
    ...['icmp6 or tcp and src port 80', 'not (ip or ip6)', 'src or dst port 53', 'less 60', 'greater 60'],
    ...['udp and greater 50', 'ip6 and tcp', 'src and dst port 80', 'vlan 5', 'port 7'],
  ])('passes the same frames by the filter %s', (filter, { skip }) => {
    skip(without.tcpdump !== undefined, without.tcpdump)
    const theirs = run('tcpdump', '-nttr', file, filter)
    const times = Array.from(theirs.matchAll(/^1700000000\.(\d{3})/gm), ([, time]) => names[Number(time)])
    const passes = frameFilter(filter)
    const ours = names.filter(name => passes(frames[name]!))
    expect(ours.length).toBeGreaterThan(
      filter === 'src and dst port 80' || filter === 'src host 192.168.1.2' ? -1 : 0,
    )
    // tcpdump looks behind neither VLAN tags, without `vlan` before (pcap-filter(7)), nor extension headers of IPv6.
    const alike = (name: string | undefined) =>
      name !== 'options6' && (filter.includes('vlan') || !name?.startsWith('tagged'))
    expect(ours.filter(alike)).toEqual(times.filter(alike))
  })
})
