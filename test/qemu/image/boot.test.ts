import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeIso } from '../../../src/image/formats/iso9660.ts'
import { readIso } from '../../../src/image/formats/iso9660-reader.ts'
import { buildImage, type GuestImage } from '../../../src/image/index.ts'
import { fetchedRoot } from '../../support/fetched.ts'
import { type Census, takeCensus } from '../../support/leaks.ts'
import { Guest } from './guest.ts'

let dir: string
let image: GuestImage
let census: Census

beforeAll(async () => {
  census = await takeCensus()
  dir = mkdtempSync(join(tmpdir(), 'xcluster-boot-'))
  const guestDir = join(import.meta.dirname, '../../../guest')
  image = await buildImage({ cacheDir: dir, guestDir, sysroots: [fetchedRoot, '/'] })
})
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true })
  await census.expectUnchanged()
})

/** A module as it is on the disk of modules. */
function moduleBytes(file: string): Uint8Array {
  return readIso(readFileSync(image.modulesDisk!.path)).find(({ path }) => path === file)!.content
}

/** A disk with two overlay archives. The second overwrites a file of the first. */
function overlayDisk(): string {
  const tar = (files: Record<string, string>) => {
    const from = mkdtempSync(join(dir, 'ovl-'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(from, path, '..'), { recursive: true })
      writeFileSync(join(from, path), text, { mode: 0o755 })
    }
    return execFileSync('tar', ['-C', from, '-c', '.'])
  }
  const rc = '#!/bin/sh\necho "$0 $1" >>/tmp/rc\n'
  const one = tar({ 'etc/who': 'one\n', 'etc/init.d/20b.rc': rc })
  const two = tar({ 'etc/who': 'two\n', 'etc/init.d/10a.rc': rc })
  const path = join(dir, 'overlays.iso')
  const archive = (path: string, content: Uint8Array) =>
    ({ path, kind: 'file', mode: 0o644, content }) as const
  writeFileSync(path, writeIso([archive('01one.tar', one), archive('02two.tar', two)], { label: 'OVL' }))
  return path
}

describe('booted guest', () => {
  let guest: Guest
  const shell = async (script: string) => (await guest.run('sh', '-c', script)).stdout

  beforeAll(async () => {
    guest = new Guest(image, {
      append: 'mtu0=1400 mtu3=1300 xcluster_PREFIX=fd01: xcluster_COLOUR=green',
      args: [
        ...[
          '-netdev',
          'user,id=net1',
          '-device',
          'virtio-net-pci,netdev=net1,mac=00:00:00:01:03:07,romfile=',
        ],
        ...['-device', 'virtserialport,name=org.xcluster.stream.0'],
        ...[
          '-drive',
          `file=${overlayDisk()},if=none,format=raw,readonly=on,id=cd`,
          '-device',
          'virtio-blk-pci,drive=cd',
        ],
      ],
    })
    await guest.ask('guest-sync', { id: 1 })
  })
  afterAll(() => guest[Symbol.asyncDispose]())

  test('a booted guest has the hostname, addresses and MTUs of its number', async () => {
    expect(await shell('hostname; cat /etc/hostname')).toBe('vm-007\nvm-007\n')
    const links = JSON.parse((await guest.run('ip', '-j', 'addr')).stdout)
    const of = (name: string) => links.find(({ ifname }: { ifname: string }) => ifname === name)
    const addresses = of('eth0').addr_info.map(
      ({ local, prefixlen }: { local: string; prefixlen: number }) => `${local}/${prefixlen}`,
    )
    expect(addresses).toEqual(expect.arrayContaining(['192.168.0.7/24', 'fd01::c0a8:7/120']))
    expect([of('eth0').mtu, of('eth1').mtu]).toEqual([1400, 1300])
    expect(of('eth0').flags).toContain('UP')
    expect(of('eth1').flags).not.toContain('UP')
  })

  test('a booted guest resolves the names of other nodes, and has a resolver', async () => {
    expect(await shell('grep vm-221 /etc/hosts')).toBe('192.168.0.221 vm-221\nfd01::192.168.0.221 vm-221\n')
    expect(await shell('cat /etc/resolv.conf')).toBe('nameserver 192.168.0.250\noptions use-vc\n')
    expect((await guest.run('ping', '-c', '1', '-W', '5', 'vm-007')).status).toBe(0)
  })

  test('login shells of a guest have the variables of its kernel command line', async () => {
    expect((await guest.run('ash', '-lc', 'echo $COLOUR $PREFIX')).stdout).toBe('green fd01:\n')
  })

  test('a booted guest has unpacked its overlays in order, and run their scripts in order', async () => {
    expect(await shell('cat /etc/who /tmp/rc')).toBe(
      'two\n/etc/init.d/10a.rc start\n/etc/init.d/20b.rc start\n',
    )
  })

  test('a guest can masquerade IPv4 and IPv6', async () => {
    const chain = 'chain p { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; };'
    const ruleset = `table ip xc { ${chain} }\ntable ip6 xc { ${chain} }`
    expect(await guest.run('sh', '-c', `nft -f - <<'E'\n${ruleset}\nE`)).toMatchObject({
      status: 0,
      stderr: '',
    })
    expect((await shell('nft list ruleset')).match(/masquerade/g)).toHaveLength(2)
  })

  test('a guest has every module of its kernel, unchanged', async () => {
    const found = await shell(
      "cd /lib/modules/*/kernel && find . -name '*.ko' | sed 's/.*\\///; s/.ko$//' | tr - _ | sort",
    )
    expect(found.trim().split('\n')).toEqual([...image.modules].sort())
    const one = 'kernel/net/sctp/sctp.ko'
    const sum = createHash('sha256').update(moduleBytes(one)).digest('hex')
    expect(await shell(`sha256sum /lib/modules/*/${one}`)).toContain(sum)
  })

  test.for([
    'ip_vs',
    'sctp',
    'ip_tables',
    'nf_tables',
    'mpls_router',
    'openvswitch',
    'wireguard',
    'bonding',
    'vrf',
  ])('a guest can load %s, where its kernel has it as a module', async (name, { skip }) => {
    skip(!image.modules.includes(name), `Linux ${image.kernelVersion} has no module ${name}`)
    expect(await guest.run('modprobe', name)).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(await shell('lsmod')).toMatch(new RegExp(`^${name} `, 'm'))
  })

  test('the kernel of a guest loads a module by itself when a program opens its device', async ({ skip }) => {
    skip(!image.modules.includes('tun'), `Linux ${image.kernelVersion} has no module tun`)
    expect(await shell('lsmod')).not.toMatch(/^tun /m)
    expect(
      await shell('stat -c "%a %t:%T" /dev/net/tun; ip tuntap add t0 mode tap && ip -br link show t0'),
    ).toMatch(/^666 a:c8\nt0 /)
    expect(await shell('lsmod')).toMatch(/^tun /m)
  })

  test.each(['bridge', 'veth', 'vxlan id 1 dstport 4789', 'dummy', 'vrf table 7', 'wireguard', 'bond'])(
    'a guest can make a link of type %s',
    async type => {
      expect(
        await guest.run('sh', '-c', `ip link add test0 type ${type} && ip link del test0`),
      ).toMatchObject({ status: 0 })
    },
  )

  test.each(['127.0.0.1', '::1'])(
    'a guest answers telnet on %s with a root shell, on a terminal, without a password',
    async address => {
      // The FIFO keeps nc's input open until the server has closed the connection. That hangs up when the shell ends,
      // whatever it has not sent yet: so the shell ends after its answer.
      const answers =
        'while read -r line; do echo "$line"; case $line in /dev/pts/*) echo exit >&3 ;; esac; done'
      const talk = `rm -f /tmp/f; mkfifo /tmp/f; nc ${address} 23 </tmp/f | { exec 3>/tmp/f; echo 'id -un; tty' >&3; ${answers}; }`
      const said = await shell(talk)
      expect(said).toMatch(/^root\r$/m)
      expect(said).toMatch(/\/dev\/pts\/\d/)
    },
  )

  test('a guest answers ssh', async () => {
    expect(
      await shell('rm -f /tmp/g; mkfifo /tmp/g; nc 127.0.0.1 22 </tmp/g | { exec 3>/tmp/g; head -c 16; }'),
    ).toBe('SSH-2.0-dropbear')
  })

  test('commands over ssh use the ip of iproute2', async () => {
    expect((await guest.run('/bin/login', '-c', 'ip -V')).stdout).toContain('iproute2')
  })

  test('a guest has its virtio ports under their names', async () => {
    expect(await shell('cd /dev/virtio-ports; ls')).toBe('org.qemu.guest_agent.0\norg.xcluster.stream.0\n')
  })

  test('the root file system of a guest may take half of its memory', async () => {
    const mib = (kib: string | undefined) => Number(kib) / 1024
    const root = (await guest.run('stat', '-f', '-c', '%b %s', '/')).stdout.trim().split(' ').map(Number)
    const total = mib(/MemTotal:\s+(\d+)/.exec((await guest.run('cat', '/proc/meminfo')).stdout)?.[1])
    expect((root[0]! * root[1]!) / 2 ** 20 / total).toBeCloseTo(0.5, 1)
  })

  test('a guest boots without a word from modprobe, whether its kernel has virtio built in or not', async () => {
    expect(guest.console).not.toContain('modprobe:')
    const modules = ['virtio_pci', 'virtio_net', 'virtio_console', 'virtio_blk', 'isofs']
    expect(await guest.run('modprobe', '-a', ...modules)).toEqual({ status: 0, stdout: '', stderr: '' })
  })

  test('the console of a guest has a shell with Ctrl-C and the ip of iproute2, also after an exit', async () => {
    // Ctrl-C goes to whatever has the terminal. Between two programs that is one that has ended.
    guest.type("tty; ip -j -br link show lo; sh -c 'echo asleep; exec sleep 1000'\n")
    await guest.shows(/\/dev\/ttyS0.*"ifname":"lo".*\nasleep\r\n/s)
    guest.type('\x03')
    guest.type('echo status=$?\n')
    await guest.shows(/status=130/)
    guest.type('exit\n')
    await guest.shows(/(built-in shell.*){2}:\S+# /s) // input before its prompt would go to the old shell
    guest.type('echo again=$((40+2))\n')
    await guest.shows(/again=42/)
  })

  test('a guest powers off on guest-shutdown of its agent', async () => {
    guest.ask('guest-shutdown').catch(() => {}) // the agent does not answer it
    expect(await guest.exited).toBe(0)
  })
})

test('a guest that panics ends its QEMU', async () => {
  await using guest = new Guest(image)
  await guest.ask('guest-sync', { id: 1 })
  guest.ask('guest-exec', { path: 'sh', arg: ['-c', 'echo c >/proc/sysrq-trigger'] }).catch(() => {})
  expect(await guest.exited).toBe(0)
  expect(guest.console).toContain('Kernel panic')
})

test('a guest without a working init panics and ends its QEMU', async () => {
  const initramfs = join(dir, 'broken')
  writeFileSync(initramfs, readFileSync(image.initramfs).subarray(0, 4096))
  await using guest = new Guest({ vmlinux: image.vmlinux, initramfs })
  expect(await guest.exited).toBe(0)
  expect(guest.console).toContain('Kernel panic')
})

test('a second call of buildImage writes no file', async () => {
  const guestDir = join(import.meta.dirname, '../../../guest')
  const written = () =>
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map(file => [file, statSync(file).ino, statSync(file).ctimeMs])
  const before = written()
  expect(await buildImage({ cacheDir: dir, guestDir, sysroots: [fetchedRoot, '/'] })).toEqual(image)
  expect(written()).toEqual(before)
  expect(existsSync(image.vmlinux)).toBe(true)
})
