/**
 * Captures what the real `ip` and `bridge` say to the kernel, and what it answers, into the files beside this one.
 * Each command runs in a network namespace of its own. Needs root, iproute2 and strace:
 *
 *     node --import jiti/register test/vectors/rtnl/capture.ts
 *
 * Sequence numbers (the time of day, in iproute2) are written as 0, so that a second run gives the same files.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** File name, command, and what has to be there before it runs. */
const commands: readonly (readonly [name: string, command: string, ...before: string[]])[] = [
  [
    'bridge-add',
    'ip link add xcbr0 address 00:00:00:01:00:fa mtu 1400 group 7 up type bridge group_fwd_mask 0x4000 stp_state 0 nf_call_iptables 0 nf_call_ip6tables 0 nf_call_arptables 0',
  ],
  [
    'bridge-add-index',
    'ip link add xcbr0 index 1000 type bridge vlan_filtering 0 forward_delay 0 mcast_snooping 0',
  ],
  ['bridge-change', 'ip link set dev xcbr0 type bridge ageing_time 100', 'ip link add xcbr0 type bridge'],
  [
    'veth-add',
    'ip link add a0 address 02:00:00:00:00:01 type veth peer name b0 mtu 1400 address 02:00:00:00:00:02 netns /proc/self/ns/net',
  ],
  ['lo-up', 'ip link set dev lo up'],
  [
    'port-attach',
    'ip link set dev a0 mtu 1400 master xcbr0 group 7 up',
    'ip link add xcbr0 index 5 type bridge',
    'ip link add a0 index 7 type veth peer name b0',
  ],
  ['addr-gen-mode', 'ip link set dev lo addrgenmode none'],
  ['nomaster', 'ip link set dev lo nomaster'],
  ['rename', 'ip link set dev a0 name a1', 'ip link add a0 index 7 type veth peer name b0'],
  [
    'port-isolated',
    'bridge link set dev a0 isolated on learning off',
    'ip link add xcbr0 type bridge',
    'ip link add a0 index 7 master xcbr0 type veth peer name b0',
  ],
  ['link-del', 'ip link del dev a0', 'ip link add a0 index 7 type veth peer name b0'],
  ['group-del', 'ip link del group 7', 'ip link add a0 group 7 type veth peer name b0'],
  ['address-add-4', 'ip address add 192.168.0.250/24 dev lo'],
  ['address-add-6', 'ip address add fd00::c0a8:fa/120 dev lo nodad'],
  ['address-add-peer', 'ip address add 172.30.0.3/32 peer 172.30.0.2/32 dev lo'],
  ['address-del', 'ip address del 192.168.0.250/24 dev lo', 'ip address add 192.168.0.250/24 dev lo'],
  [
    'route-default-4',
    'ip route add default via 192.168.1.201',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
  ],
  ['route-default-6', 'ip -6 route add default via fd00::2 dev lo metric 50', 'ip link set lo up'],
  [
    'route-dev',
    'ip route add 10.1.0.0/16 dev lo src 192.168.1.1 mtu 1400',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
  ],
  [
    'route-multipath',
    'ip route replace default table 300 nexthop via 192.168.1.201 dev lo nexthop via 192.168.1.202 dev lo weight 3 onlink',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
  ],
  ['route-blackhole', 'ip route add blackhole 10.2.0.0/16'],
  ['route-del', 'ip route del 10.2.0.0/16 via 192.168.1.201', 'ip link set lo up'],
]

/** The same for what the kernel answers. */
const answers: typeof commands = [
  [
    'link-dump',
    'ip -d link show',
    'ip link add xcbr0 index 5 address 00:00:00:01:00:fa group 7 up type bridge group_fwd_mask 0x4000',
    'ip link add a0 index 7 address 02:00:00:00:00:01 master xcbr0 type veth peer name b0 index 8 address 02:00:00:00:00:02',
    'ip link set dev a0 up alias "to the left"',
    'ip link property add dev a0 altname left',
  ],
  [
    'address-dump',
    'ip address show',
    'ip address add 172.30.0.3 peer 172.30.0.2/32 dev lo',
    'ip address add fd00::1/64 dev lo nodad',
  ],
  [
    'route-dump',
    'ip route show table all',
    'ip link set lo up',
    'ip address add 192.168.1.1/24 dev lo',
    'ip route add default table 300 nexthop via 192.168.1.201 dev lo nexthop via 192.168.1.202 dev lo weight 3',
    'ip link add a0 type veth peer name b0',
    'ip link set a0 up',
    'ip route add 10.9.0.0/16 via inet6 fe80::1 dev a0',
  ],
]

const here = dirname(fileURLToPath(import.meta.url))
const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()

function trace(direction: 'write' | 'read', [, command, ...before]: (typeof commands)[number]): string {
  const directory = mkdtempSync(join(tmpdir(), 'capture-'))
  const file = join(directory, 'trace')
  try {
    const calls = direction === 'write' ? 'sendmsg' : 'recvmsg'
    const traced = `strace -e trace=${calls} -e ${direction}=all -o '${file}' ${command} >&2`
    const script = [...before, `(${traced} || true)`].join(' && ')
    execFileSync('unshare', ['--net', 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'ignore'] })
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** The datagrams of strace's hexadecimal dumps; what was only peeked at comes twice, and counts once. */
function datagrams(text: string): Uint8Array[] {
  const calls = text.split(/^(?=\w+\()/m).filter(call => !call.includes('MSG_PEEK'))
  return calls.flatMap(call => {
    const bytes = Array.from(
      call.matchAll(/^ \| [0-9a-f]+ {2}((?:[0-9a-f]{2} {1,2})+)/gm),
      ([, hex]) => hex,
    ).join(' ')
    return bytes === '' ? [] : [Uint8Array.from(bytes.trim().split(/\s+/), byte => Number.parseInt(byte, 16))]
  })
}

/** Zeroes nlmsg_seq and nlmsg_pid of each message. */
function anonymous(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer)
  for (let at = 0; at + 16 <= bytes.length; at += Math.max(16, (view.getUint32(at, true) + 3) & ~3))
    bytes.fill(0, at + 8, at + 16)
  return bytes
}

function save([name, command, ...before]: (typeof commands)[number], messages: readonly Uint8Array[]): void {
  const tool = execFileSync(command.split(' ')[0] as string, ['-V'], { encoding: 'utf8' }).trim()
  const head = [
    `# command: ${command}`,
    ...before.map(line => `# after: ${line}`),
    `# tool: ${tool}`,
    `# kernel: ${kernel}`,
  ]
  const body = messages.map(bytes =>
    Buffer.from(anonymous(bytes))
      .toString('hex')
      .replace(/(.{64})(?=.)/g, '$1\n'),
  )
  writeFileSync(join(here, `${name}.hex`), `${[...head, ...body].join('\n\n').replaceAll('\n\n#', '\n#')}\n`)
}

// The change itself is the last thing a command sends; before it come look-ups.
for (const command of commands) save(command, datagrams(trace('write', command)).slice(-1))
for (const command of answers) save(command, datagrams(trace('read', command)))
