import { expect, test, vi } from 'vitest'
import { environmentOf } from '../../../bench/boot/cli.ts'
import { problems } from '../../../bench/boot/clone-check.ts'
import { networkScript, originalArgs } from '../../../bench/boot/original.ts'
import { places } from '../../../src/base/index.ts'

const image = { kernelVersion: '6.1', modules: [], hasTelnetd: true, hasDropbear: true, key: '' }
const host = {
  places: { runtime: '/r', state: '/s', cache: '/c' },
  qemu: { path: '/usr/bin/qemu-system-x86_64', version: '7.2.22' },
  accel: { kind: 'tcg' },
  bzImage: '/boot/vmlinuz',
  image: { ...image, vmlinux: '/vmlinux', initramfs: '/initramfs' },
  overlaid: { ...image, vmlinux: '/vmlinux', initramfs: '/overlaid' },
  prober: '/prober',
} as const

test('the command line of the original has -initrd in place of -drive, and a monitor without a port', () => {
  expect(originalArgs({ id: 202, nets: [0, 1] }, host).join(' ')).toBe(
    '-accel tcg -kernel /boot/vmlinuz -initrd /overlaid -smp 2 -M pc -m 128 ' +
      '-monitor unix:/c/monitor-202,server=on,wait=off -nographic ' +
      '-netdev tap,id=net0,script=no,downscript=no,ifname=xcbr0_t202 ' +
      '-device virtio-net-pci,netdev=net0,mac=00:00:00:01:00:ca ' +
      '-netdev tap,id=net1,script=no,downscript=no,ifname=xcbr1_t202 ' +
      '-device virtio-net-pci,netdev=net1,mac=00:00:00:01:01:ca ' +
      '-append root=/dev/vda rw init=/init',
  )
})

test('the network of the original takes one ip a step, for 3 bridges and 14 taps', () => {
  const steps = networkScript().split('\n')
  expect(steps.every(step => step.startsWith('ip '))).toBe(true)
  expect(steps.filter(step => step.includes('tuntap add'))).toHaveLength(14)
  expect(steps.filter(step => step.endsWith('type bridge'))).toHaveLength(3)
  expect(steps).toContain('ip link set dev xcbr1_t4 master xcbr1')
  expect(steps.filter(step => step.includes('192.168.1.'))).toEqual([])
})

test('a clone with a value of another node, or with a wrong identity, is found', () => {
  const id = (digit: string) => digit.repeat(32)
  const guest = (values: string[], { name = 'vm-001', late = 0 } = {}) =>
    [...values, name, Math.round(Date.now() / 1000) - late, '00:01 00:02'].join('\n')
  const expected = { name: 'vm-001', macs: '00:01 00:02', askedAt: Date.now(), seen: new Set<string>() }
  expect(problems(guest([id('a'), id('b'), id('c')]), expected)).toEqual([])
  expect(problems(guest([id('d'), id('b'), '']), expected)).toEqual([
    `vm-001 has the same uuid as another node: ${id('b')}`,
    "vm-001 has no urandom: ''",
  ])
  const stale = guest([id('e'), id('f'), id('0')], { name: 'vm', late: 60 })
  expect(problems(stale, { ...expected, macs: '00:01' })).toEqual([
    'vm-001 is called vm',
    'the clock of vm-001 is off by 60 s',
    'vm-001 has 00:01 00:02, not 00:01',
  ])
})

test('xc start of the benchmark finds the templates of the run, and neither clusters nor settings of the user', () => {
  vi.stubEnv('__nvm', '1')
  vi.stubEnv('XCLUSTER_NAME', 'mine')
  const env = environmentOf({ runtime: '/r', state: '/s', cache: '/c/xcluster' }, '/own')
  vi.unstubAllEnvs()
  expect(places(env, 0)).toEqual({
    runtime: '/own/run/xcluster',
    state: '/own/state/xcluster',
    cache: '/c/xcluster',
  })
  expect(Object.keys(env).filter(name => /^__|XCLUSTER/.test(name))).toEqual([])
  expect(env.PATH).toBe(process.env.PATH)
})
