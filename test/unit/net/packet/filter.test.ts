import { describe, expect, test } from 'vitest'
import { frameFilter } from '../../../../src/net/index.ts'
import { frames } from '../../../support/frames.ts'

const passing = (filter: string): string[] => {
  const passes = frameFilter(filter)
  return Object.keys(frames).filter(name => passes(frames[name]!))
}

describe('a filter', () => {
  test.each([
    ['', Object.keys(frames)],
    ['arp', ['arpRequest', 'arpReply']],
    ['tcp port 80', ['syn', 'tcpData']],
    ['tcp dst port 80', ['syn']],
    ['port 53 or 443', ['dns', 'tcp6']],
    ['icmp or icmp6', ['ping', 'unreachable', 'ping6', 'solicitation']],
    ['udp and ip6 and not vlan', ['udp6', 'options6']],
    ['vlan 7', ['taggedTwice']],
    ['portrange 6000-6003', ['udp6', 'options6']],
    ['ether proto 0x88cc', ['lldp']],
    ['ip proto 89', ['ospf']],
    ['src host fd00::192.168.1.1 and ! udp', ['tcp6', 'ping6', 'solicitation']],
    ['dst net 192.168.0.0/16 && tcp', ['syn', 'tcpData', 'tagged']],
    ['ether dst ff:ff:ff:ff:ff:ff', ['arpRequest']],
    ['broadcast', ['arpRequest']],
    ['multicast and not broadcast', ['solicitation', 'lldp']],
    ['icmp6 or tcp and src port 80', ['tcpData']],
    ['icmp6 or (tcp and src port 80)', ['tcpData', 'ping6', 'solicitation']],
    ['src or dst port 53', ['dns']],
    ['src and dst net 192.168.1.0/24 and arp', ['arpRequest', 'arpReply']],
    ['not (ip or ip6 or arp)', ['lldp']],
    ['port 7 or port 9', ['firstFragment']],
  ])('passes %s', (filter, names) => {
    expect(passing(filter)).toEqual(names)
  })

  test.each([
    ['tcp prot 80', 5, "'prot' does not follow"],
    ['host', 5, 'the end is not an IP address'],
    ['tcp and', 8, 'the end is none of'],
    ['port http', 6, "'http' is not a port"],
    ['(tcp', 5, "the end is not ')'"],
    ['tcp)', 4, "')' does not follow"],
    ['net 10.0.0.0/33', 5, 'is not a network'],
    ['tcp[13] & 2 != 0', 1, "'tcp[13]' is arithmetic"],
    ['tcp & 2', 5, "'&' does not follow"],
    ['host 10.0.0.300', 6, 'is not an IP address'],
    ['ether src 00:11', 11, 'is not an Ethernet address'],
    ['portrange 80', 11, 'is not two ports'],
    ['frob', 1, 'is none of host'],
    [`${'('.repeat(200)}tcp`, 102, 'too deep'],
    [`${'not '.repeat(5000)}tcp`, 405, 'too deep'],
  ])('that cannot be read is refused with the column: %s', (filter, column, words) => {
    expect(() => frameFilter(filter)).toThrow(
      expect.objectContaining({
        ...{ code: 'BAD_FILTER', kind: 'usage', target: `'${filter}'` },
        reason: expect.stringMatching(new RegExp(`^column ${column}: .*`)),
      }),
    )
    expect(() => frameFilter(filter)).toThrow(words)
  })
})
