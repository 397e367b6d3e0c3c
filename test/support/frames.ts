/** Frames for tests of decoders, filters and capture files. Checksums are not filled in. */

const hex = (text: string): number[] => [...Buffer.from(text.replaceAll(/[\s:]/g, ''), 'hex')]
const u16 = (value: number): number[] => [value >> 8, value & 0xff]
const u32 = (value: number): number[] => [...u16(Math.floor(value / 65_536)), ...u16(value % 65_536)]

const macs = { one: '00:00:00:01:01:01', two: '00:00:00:01:01:02', all: 'ff:ff:ff:ff:ff:ff' } as const

function ethernet(type: number, body: readonly number[], to: string = macs.two): Uint8Array {
  return Uint8Array.from([...hex(to), ...hex(macs.one), ...u16(type), ...body])
}

/** `tags`: ids, the outer first. */
function tagged(tags: readonly number[], type: number, body: readonly number[]): Uint8Array {
  const [outer = 0, ...inner] = tags
  return ethernet(0x8100, [
    ...u16(outer),
    ...inner.flatMap(id => [...u16(0x8100), ...u16(id)]),
    ...u16(type),
    ...body,
  ])
}

function ipv4(protocol: number, body: readonly number[], fragment = 0): number[] {
  const head = [0x45, 0xb9, ...u16(20 + body.length), ...u16(7), ...u16(fragment), 64, protocol, 0, 0]
  return [...head, 192, 168, 1, 1, 192, 168, 1, 2, ...body]
}

function ipv6(next: number, body: readonly number[]): number[] {
  const head = [0x6b, 0x90, 0, 0, ...u16(body.length), next, 63]
  return [
    ...head,
    ...hex('fd00 0000 0000 0000 0000 0000 c0a8 0101'),
    ...hex('fd00 0000 0000 0000 0000 0000 c0a8 0102'),
    ...body,
  ]
}

function tcp([from, to]: readonly [number, number], flags: number, body: readonly number[] = []): number[] {
  return [
    ...u16(from),
    ...u16(to),
    ...u32(4_000_000_000),
    ...u32(17),
    0x50,
    flags,
    ...u16(502),
    0,
    0,
    0,
    0,
    ...body,
  ]
}

function udp(from: number, to: number, body: readonly number[] = []): number[] {
  return [...u16(from), ...u16(to), ...u16(8 + body.length), 0, 0, ...body]
}

const echo = (type: number): number[] => [type, 0, 0, 0, ...u16(77), ...u16(3), 1, 2, 3, 4]

const text = [...Buffer.from('hello')]

/** By name, each a different kind of frame. */
export const frames: Readonly<Record<string, Uint8Array>> = {
  arpRequest: ethernet(
    0x0806,
    [...hex('0001 0800 0604 0001'), ...hex(macs.one), 192, 168, 1, 1, ...hex('000000000000'), 192, 168, 1, 2],
    macs.all,
  ),
  arpReply: ethernet(0x0806, [
    ...[...hex('0001 0800 0604 0002'), ...hex(macs.one), 192, 168, 1, 1],
    ...[...hex(macs.two), 192, 168, 1, 2, ...Array<number>(18).fill(0)],
  ]),
  syn: ethernet(0x0800, ipv4(6, tcp([40_000, 80], 0x02))),
  tcpData: ethernet(0x0800, ipv4(6, tcp([80, 40_000], 0x18, text))),
  dns: ethernet(0x0800, ipv4(17, udp(5353, 53, text))),
  ping: ethernet(0x0800, ipv4(1, echo(8))),
  unreachable: ethernet(0x0800, ipv4(1, [3, 1, 0, 0, 0, 0, 0, 0, ...ipv4(17, udp(1, 2))])),
  firstFragment: ethernet(0x0800, ipv4(17, udp(7, 9, text), 0x2000)),
  laterFragment: ethernet(0x0800, ipv4(17, text, 0x0010)),
  ospf: ethernet(0x0800, ipv4(89, text)),
  tcp6: ethernet(0x86dd, ipv6(6, tcp([40_001, 443], 0x11))),
  udp6: ethernet(0x86dd, ipv6(17, udp(6001, 6002))),
  ping6: ethernet(0x86dd, ipv6(58, echo(128))),
  solicitation: ethernet(
    0x86dd,
    ipv6(58, [135, 0, 0, 0, 0, 0, 0, 0, ...hex('fd00 0000 0000 0000 0000 0000 c0a8 0102')]),
    '33:33:ff:a8:01:02',
  ),
  options6: ethernet(0x86dd, ipv6(0, [17, 0, 1, 4, 0, 0, 0, 0, ...udp(6003, 6004)])),
  tagged: tagged([5], 0x0800, ipv4(6, tcp([1234, 22], 0x10))),
  taggedTwice: tagged([6, 7], 0x86dd, ipv6(17, udp(1, 2))),
  lldp: ethernet(0x88cc, text, '01:80:c2:00:00:0e'),
}
