import { describe, expect, test } from 'vitest'
import { qemuArgs, type Template, type VmSpec } from '../../../src/vm/index.ts'
import type { Role } from '../../../src/vm/qemu/child-fds.ts'

const spec: VmSpec = {
  name: 'vm-003',
  qemu: '/usr/bin/qemu-system-x86_64',
  kernel: '/cache/vmlinux',
  initramfs: '/cache/initramfs',
  append: 'xcluster_PREFIX=fd00:',
  mtus: { 0: 1500, 1: 9000 },
  memoryMiB: 128,
  vcpus: 2,
  accel: 'tcg',
  nics: [
    { args: ['-netdev', 'tap,id=net0,fd={fd0}', '-device', 'virtio-net-pci,netdev=net0,id=nic0'], fds: [40] },
    { args: ['-netdev', 'tap,id=net1,fds={fd0}:{fd1},queues=2'], fds: [41, 42] },
    { args: ['-netdev', 'user,id=net2'], fds: [] },
    { args: ['-netdev', 'tap,id=net3,fd={fd0}'], fds: [43] },
  ],
  consoleLog: '/logs/vm-003.log',
  extraArgs: ['-s'],
}

/** The value after an option. */
const after = (args: readonly string[], option: string) => args[args.indexOf(option) + 1]

test('the QEMU command line of a VM is complete, argument by argument', () => {
  expect(qemuArgs(spec).join(' ').split(' -')).toEqual([
    '-name vm-003',
    'nodefaults',
    'no-user-config',
    'display none',
    'no-reboot',
    'sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
    'machine q35',
    'accel tcg',
    'm 128M',
    'smp 2',
    'kernel /proc/self/fd/7',
    'initrd /proc/self/fd/12',
    'append console=ttyS0 panic=-1 mitigations=off random.trust_cpu=on rcupdate.rcu_expedited=1 ' +
      'cryptomgr.notests nokaslr noreplace-smp 8250.nr_uarts=1 no_timer_check tsc=reliable ' +
      'psi=0 audit=0 lsm= init_on_alloc=0 hardened_usercopy=off nowatchdog ' +
      'sysctl.vm.compaction_proactiveness=0 sysctl.vm.stat_interval=30 loglevel=6 printk.time=1 ' +
      'initramfs_options=size=75% norandmaps workqueue.unbound_cpus=0 mtu1=9000 xcluster_PREFIX=fd00:',
    'chardev socket,id=monitor,fd=3',
    'mon chardev=monitor,mode=control',
    'chardev socket,id=console,fd=4',
    'serial chardev:console',
    'device virtio-serial-pci,id=ports',
    'chardev socket,id=agent,fd=5',
    'device virtserialport,id=agent,bus=ports.0,chardev=agent,name=org.qemu.guest_agent.0',
    'chardev socket,id=stream,fd=6',
    'device virtserialport,id=stream,bus=ports.0,chardev=stream,name=org.xcluster.stream.0',
    'device virtio-rng-pci',
    'global virtio-net-device.guest_announce=off',
    'netdev tap,id=net0,fd=8',
    'device virtio-net-pci,netdev=net0,id=nic0',
    'netdev tap,id=net1,fds=9:10,queues=2',
    'netdev user,id=net2',
    'netdev tap,id=net3,fd=11',
    's',
  ])
})

test('a VM without an initramfs has no -initrd, and the other descriptors stay', () => {
  const { initramfs: _, ...without } = spec
  const all = qemuArgs(spec)
  const at = all.indexOf('-initrd')
  expect(at).toBeGreaterThan(0)
  expect(qemuArgs(without)).toEqual([...all.slice(0, at), ...all.slice(at + 2)])
})

test('the monitor is an object for a QEMU that has this type', () => {
  const text = qemuArgs({ ...spec, monitor: 'object' }).join(' ')
  expect(text).toContain(
    '-chardev socket,id=monitor,fd=3 -object monitor-qmp,id=qmp,chardev=monitor -chardev',
  )
  expect(text).not.toContain('-mon ')
})

test('KVM uses the host CPU, and a comma in a name does not end the name', () => {
  const args = qemuArgs({ ...spec, accel: 'kvm', machine: 'pc', name: 'a,b' })
  expect(after(args, '-cpu')).toBe('host')
  expect(after(args, '-machine')).toBe('pc')
  expect(after(args, '-append')).not.toContain('workqueue') // code is not translated
  expect(after(args, '-name')).toBe('a,,b')
})

test('a microvm needs KVM', () => {
  const args = qemuArgs({ ...spec, accel: 'kvm', machine: 'microvm' })
  expect(after(args, '-machine')).toBe('microvm,pcie=on,rtc=on')
  expect(() => qemuArgs({ ...spec, machine: 'microvm' })).toThrow('start vm-003: a microvm without KVM hangs')
})

test('q35 has no devices without a use, unless a user has options of theirs, which may name them', () => {
  const { extraArgs: _, ...plain } = spec
  expect(after(qemuArgs(plain), '-machine')).toBe('q35,sata=off,smbus=off,vmport=off')
  expect(after(qemuArgs({ ...plain, machine: 'pc' }), '-machine')).toBe('pc')
  expect(after(qemuArgs(spec), '-machine')).toBe('q35')
})

describe('the QEMU command lines of a template and its clones', () => {
  /** The arguments that only one of two command lines has. */
  const beyond = (role: Role, other: Role) => {
    const others = qemuArgs(spec, other).join(' ').split(' -')
    return qemuArgs(spec, role)
      .join(' ')
      .split(' -')
      .filter(option => !others.includes(option))
  }

  test("differ from that of a booting VM by the template's RAM in a file", () => {
    expect(beyond('template', 'boot')).toEqual([
      'machine q35,memory-backend=ram',
      'object memory-backend-file,id=ram,size=128M,mem-path=/proc/self/fd/8,share=on',
      'initrd /proc/self/fd/14',
      'netdev tap,id=net0,fd=10',
      'netdev tap,id=net1,fds=11:12,queues=2',
      'netdev tap,id=net3,fd=13',
    ])
    expect(qemuArgs({ ...spec, accel: 'kvm', machine: 'microvm' }, 'template')).toContain(
      'microvm,pcie=on,rtc=on,memory-backend=ram',
    )
  })

  test('have the RAM privately, no kernel, a wait for the state, and no announcements in a clone', () => {
    expect(beyond('clone', 'template')).toEqual([
      'object memory-backend-file,id=ram,size=128M,mem-path=/proc/self/fd/7,share=off',
      'incoming defer',
      'global migration.announce-rounds=0',
      'netdev tap,id=net0,fd=9',
      'netdev tap,id=net1,fds=10:11,queues=2',
      'netdev tap,id=net3,fd=12',
    ])
    expect(beyond('template', 'clone').map(option => option.split(' ')[0])).toEqual([
      ...['object', 'kernel', 'initrd', 'append', 'netdev', 'netdev', 'netdev'],
    ])
  })

  test('are those of a clone when the spec has a template', () => {
    const template = {} as Template
    expect(qemuArgs({ ...spec, template })).toEqual(qemuArgs(spec, 'clone'))
    expect(qemuArgs(spec)).toEqual(qemuArgs(spec, 'boot'))
  })
})
