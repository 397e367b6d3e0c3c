import { describe, expect, test } from 'vitest'
import { diskNodes } from '../../../src/vm/disk/nodes.ts'
import { qemuArgs, type VmSpec } from '../../../src/vm/index.ts'
import type { Role } from '../../../src/vm/qemu/child-fds.ts'

const image = { path: '/images/top.qcow2', format: 'qcow2' } as const
const base = { path: '/images/base.raw', format: 'raw' } as const

describe('the block nodes of a disk image', () => {
  test('are its files, deepest first, each with its format, and the layer of the VM on top', () => {
    const { sources, nodes, disks } = diskNodes({ files: [{ ...image, dataFile: '/images/data' }, base] })
    expect(sources).toEqual([{ path: base.path }, { path: image.path }, { path: '/images/data' }, 'layer'])
    expect(nodes.map(node => node['node-name'])).toEqual([
      ...['image1-file', 'image1', 'image0-file', 'image0-data', 'image0', 'layer-file', 'disk'],
    ])
    expect(nodes[1]).toEqual({ 'node-name': 'image1', driver: 'raw', file: 'image1-file', 'read-only': true })
    expect(nodes[4]).toMatchObject({ driver: 'qcow2', backing: 'image1', 'data-file': 'image0-data' })
    expect(nodes[6]).toMatchObject({ driver: 'qcow2', backing: 'image0', file: 'layer-file' })
    expect(disks).toEqual([{ node: 'disk', serial: 'xcluster-image' }])
  })

  test('are never those of a file that only the image names, and only the layer can be written to', () => {
    const { nodes } = diskNodes({ files: [image] }, { kept: true, seed: true })
    expect(nodes.find(node => node['node-name'] === 'image0')).toMatchObject({ backing: null })
    const writable = nodes.filter(node => !node['read-only']).map(node => node['node-name'])
    expect(writable).toEqual(['layer-file', 'disk'])
    for (const node of nodes) if ('filename' in node) expect(node.filename).toMatch(/^\/dev\/fdset\/\d$/)
  })
})

describe('the QEMU command line of a VM with a disk image', () => {
  const disk = { files: [base], emptyLayer: new Uint8Array(0) }
  const spec: VmSpec = {
    ...{ name: 'vm-001', qemu: '/qemu', kernel: '/vmlinux', initramfs: '/initramfs', consoleLog: '/log' },
    ...{ memoryMiB: 128, vcpus: 1, accel: 'tcg', bootDisk: disk },
    nics: [{ args: ['-netdev', 'tap,id=net0,fd={fd0}'], fds: [40] }],
    disks: [{ path: '/modules', serial: 'xcluster-modules' }],
  }
  const sets = (given: VmSpec, role?: Role) =>
    qemuArgs(given, role).flatMap((word, index, all) => (word === '-add-fd' ? [all[index + 1]] : []))

  test('has its files behind those of the other disks, as sets', () => {
    expect(sets(spec)).toEqual(['fd=11,set=1', 'fd=12,set=2'])
    expect(sets(spec, 'template')).toEqual(['fd=13,set=1', 'fd=14,set=2'])
    expect(sets(spec, 'clone')).toEqual(['fd=11,set=1', 'fd=12,set=2', 'fd=13,set=3'])
    expect(qemuArgs(spec, 'clone').join(' ')).toContain('"node-name":"kept"')
  })

  test('boots from it when there is no kernel, with the BIOS on the console', () => {
    const { kernel: _, initramfs: __, disks: ___, ...bootable } = spec
    const all = qemuArgs({ ...bootable, seed: new Uint8Array(0) })
    const text = all.join(' ')
    expect(text).not.toMatch(/-kernel|-initrd|-append|-incoming/)
    expect(text).toContain('-machine q35,sata=off,smbus=off,vmport=off,graphics=off')
    expect(text).toContain('-netdev tap,id=net0,fd=7 ')
    expect(text).toMatch(
      /drive=disk,serial=xcluster-image,[^ ]*bootindex=0 -device virtio-blk-pci,drive=seed,/,
    )
    expect(sets({ ...bootable, seed: new Uint8Array(0) })).toEqual([
      'fd=8,set=1',
      'fd=9,set=2',
      'fd=10,set=3',
    ])
  })
})
