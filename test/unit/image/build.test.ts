import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readIso } from '../../../src/image/formats/iso9660-reader.ts'
import { buildImage, findKernel, Inputs } from '../../../src/image/index.ts'
import { bzImage, moduleFile, vmlinuxFile } from './elf-file.ts'

const version = '6.1.0-9-test'
let dir: string
let root: string

const modules = ['virtio_pci', 'virtio_net', 'virtio_console', 'virtio_blk', 'isofs', 'nf_tables']

/** A tree with a small kernel, its modules, and every program that the guest needs. */
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-image-'))
  root = join(dir, 'root')
  put('boot/vmlinuz-6.1.0-9-test', bzImage(gzipSync(vmlinuxFile()), { version }))
  for (const name of modules) put(`lib/modules/${version}/${name}.ko`, moduleFile({ name, depends: '' }))
  put(`lib/modules/${version}/modules.order`, modules.map(name => `${name}.ko\n`).join(''))
  put(`lib/modules/${version}/modules.builtin`, '')
  put('usr/bin/busybox', readFileSync('/bin/busybox'))
  for (const name of ['ip', 'nft', 'qemu-ga']) put(`usr/sbin/${name}`, vmlinuxFile())
  cpSync(join(import.meta.dirname, '../../../guest'), join(dir, 'guest'), { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function put(path: string, bytes: Uint8Array | string): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), bytes)
}

const options = (cacheDir = 'cache') => ({
  cacheDir: join(dir, cacheDir),
  guestDir: join(dir, 'guest'),
  sysroots: [root],
})
const list = (initramfs: string) =>
  execFileSync('busybox', ['cpio', '-t'], {
    input: readFileSync(initramfs),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  }).split('\n')

describe('buildImage', () => {
  test('makes a kernel and an initramfs with everything that the guest needs', async () => {
    const image = await buildImage(options())
    expect(image).toMatchObject({ kernelVersion: version, hasTelnetd: true, hasDropbear: false })
    expect(image.modules).toEqual(modules)
    expect(Buffer.compare(readFileSync(image.vmlinux), vmlinuxFile())).toBe(0)
    const names = list(image.initramfs)
    const needed = ['init', 'bin/sh', 'sbin/ip', 'sbin/modprobe', 'usr/sbin/nft', 'dev/console', 'etc/hosts']
    expect(names).toEqual(
      expect.arrayContaining([
        ...needed,
        `lib/modules/${version}/modules.dep`,
        `lib/modules/${version}/modules.builtin`,
      ]),
    )
  })

  test('puts all modules on a disk, and into the initramfs those that are needed to read it', async () => {
    const { initramfs, modulesDisk } = await buildImage(options())
    const ofModules = (paths: string[]) => paths.filter(path => path.endsWith('.ko')).sort()
    const onDisk = readIso(readFileSync(modulesDisk!.path)).map(({ path }) => path)
    expect(ofModules(onDisk)).toEqual(modules.map(name => `${name}.ko`).sort())
    expect(onDisk).toEqual(expect.arrayContaining(['modules.dep', 'modules.alias', 'modules.builtin']))
    const atBoot = modules.filter(name => name !== 'nf_tables')
    expect(ofModules(list(initramfs))).toEqual(atBoot.map(name => `lib/modules/${version}/${name}.ko`).sort())
  })

  test('leaves a kernel that cannot read the disk without one, and says so', async () => {
    rmSync(join(root, `lib/modules/${version}/isofs.ko`))
    const notices: string[] = []
    const image = await buildImage({ ...options(), notice: text => notices.push(text) })
    expect(image.modulesDisk).toBeUndefined()
    expect(image.modules).toEqual(['virtio_pci', 'virtio_net', 'virtio_console'])
    expect(notices).toContain(
      `guests have few modules: Linux ${version} lacks virtio_blk or isofs, which read the others`,
    )
  })

  test("makes another disk when the kernel's package has replaced its modules", async () => {
    const first = await buildImage(options())
    put(`lib/modules/${version}/nf_tables.ko`, moduleFile({ name: 'nf_tables', depends: 'isofs' }))
    put(`lib/modules/${version}/modules.order`, modules.map(name => `${name}.ko\n`).join(''))
    const second = await buildImage(options())
    expect(second.key).not.toBe(first.key)
    const lists = readIso(readFileSync(second.modulesDisk!.path))
    expect(lists.find(({ path }) => path === 'modules.dep')?.content.toString()).toContain(
      'nf_tables.ko: isofs.ko\n',
    )
  })

  test('gives the same bytes and key for the same inputs', async () => {
    const one = await buildImage(options('one'))
    const two = await buildImage(options('two'))
    expect(two.key).toBe(one.key)
    expect(Buffer.compare(readFileSync(two.initramfs), readFileSync(one.initramfs))).toBe(0)
  })

  test('answers a second call from the cache, until a file in guest/ changes', async () => {
    const notices: string[] = []
    const notice = (text: string) => notices.push(text)
    const first = await buildImage({ ...options(), notice })
    const { ino } = statSync(first.initramfs)
    expect(await buildImage({ ...options(), notice })).toEqual(first)
    expect([notices.length, statSync(first.initramfs).ino]).toEqual([1, ino])
    writeFileSync(join(dir, 'guest/etc/motd'), 'hello\n')
    const second = await buildImage({ ...options(), notice })
    expect(second.key).not.toBe(first.key)
    expect(list(second.initramfs)).toContain('etc/motd')
  })

  test('gives two simultaneous callers the same intact image', async () => {
    const [one, two] = await Promise.all([buildImage(options()), buildImage(options())])
    expect(one).toEqual(two)
    expect(existsSync(one.vmlinux)).toBe(true)
  })

  test('builds a damaged image again', async () => {
    const image = await buildImage(options())
    const whole = readFileSync(image.initramfs)
    truncateSync(image.initramfs, 1000)
    expect(await buildImage(options())).toEqual(image)
    expect(Buffer.compare(readFileSync(image.initramfs), whole)).toBe(0)
  })

  test.each([
    [
      'a program is missing',
      () => rmSync(join(root, 'usr/sbin/qemu-ga')),
      'PROGRAM_MISSING',
      'qemu-guest-agent',
    ],
    ['a program is not an ELF file', () => put('usr/sbin/nft', 'hello'), 'PROGRAM_DAMAGED', 'usr/sbin/nft'],
    [
      'busybox has no table of commands',
      () => put('usr/bin/busybox', vmlinuxFile()),
      'PROGRAM_DAMAGED',
      'table of commands',
    ],
    [
      'modules are missing',
      () => rmSync(join(root, `lib/modules/${version}`), { recursive: true }),
      'KERNEL_MODULES_MISSING',
      'npx xc setup',
    ],
    [
      'a boot module is missing',
      () => rmSync(join(root, `lib/modules/${version}/virtio_net.ko`)),
      'KERNEL_MODULES_MISSING',
      'virtio_net',
    ],
    [
      'a kernel is missing',
      () => rmSync(join(root, 'boot'), { recursive: true }),
      'KERNEL_MISSING',
      'npx xc setup',
    ],
    ['the kernel is damaged', () => put(`boot/vmlinuz-${version}`, 'hello'), 'KERNEL_DAMAGED', 'vmlinuz'],
    [
      'the payload of the kernel is damaged',
      () => put(`boot/vmlinuz-${version}`, bzImage(Buffer.from('hello'))),
      'KERNEL_DAMAGED',
      'unpack kernel',
    ],
  ])('reports with a remedy that %s', async (_, ...[damage, code, words]) => {
    damage()
    const failure = await buildImage(options()).catch(thrown => thrown)
    expect(failure).toMatchObject({ name: 'ImageError', code, kind: 'prerequisite' })
    expect(failure.message).toContain(words)
  })
})

describe('a kernel of your own', () => {
  const elsewhere = () => join(root, 'own/bzImage')
  const kernel = (drivers: readonly string[]) => {
    const vmlinux = vmlinuxFile({ strings: drivers })
    put('own/bzImage', bzImage(gzipSync(vmlinux), { version: '6.9.0-own' }))
    return buildImage({ ...options(), kernel: elsewhere() })
  }

  test('needs no modules when it has built in what guests need', async () => {
    const image = await kernel(['virtio-pci', 'virtio_net', 'virtio_console', 'virtio_blk'])
    expect(image.kernelVersion).toBe('6.9.0-own')
    expect(image.modulesDisk).toBeUndefined()
    expect(list(image.initramfs).filter(name => name.endsWith('.ko'))).toEqual([])
  })

  test('is refused without them, with the names of what it lacks', async () => {
    await expect(kernel(['virtio-pci', 'virtio_net_hdr'])).rejects.toMatchObject({
      code: 'KERNEL_MODULES_MISSING',
      reason:
        'it has no virtio_net, virtio_console built in, and its modules, lib/modules/6.9.0-own, are nowhere',
    })
  })

  test('may have its modules anywhere: in a tree, beside others, or as the directory itself', async () => {
    const given = (path: string) =>
      findKernel({
        kernel: join(root, `boot/vmlinuz-${version}`),
        modules: join(root, path),
        searchDirs: [],
        inputs: new Inputs(),
      })
    const tree = `lib/modules/${version}`
    for (const path of ['', 'lib/modules', tree])
      expect((await given(path)).modulesDir).toBe(join(root, tree))
    cpSync(join(root, tree), join(root, 'own/tree'), { recursive: true })
    put('own/tree/virtio_pci.ko', moduleFile({ name: 'virtio_pci', vermagic: `${version} SMP preempt ` }))
    expect((await given('own/tree')).modulesDir).toBe(join(root, 'own/tree'))
  })

  test('is refused with the modules of another, with both versions', async () => {
    const given = (path: string) =>
      findKernel({
        kernel: join(root, `boot/vmlinuz-${version}`),
        modules: join(root, path),
        searchDirs: [root],
        inputs: new Inputs(),
      })
    put('own/tree/modules.order', 'a.ko\n')
    put('own/tree/modules.builtin', '')
    put('own/tree/a.ko', moduleFile({ name: 'a', vermagic: '6.1.0-8-test SMP preempt ' }))
    for (const list of ['order', 'builtin']) put(`other/lib/modules/6.1.0-7-test/modules.${list}`, '')
    const reason = (other: string) => `they are for Linux ${other}, and the kernel is ${version}`
    for (const [path, words] of [
      ['own/tree', reason('6.1.0-8-test')],
      ['other', reason('6.1.0-7-test')],
      ['other/lib/modules/6.1.0-7-test', reason('6.1.0-7-test')],
      ['boot', 'it has no modules'],
    ] as const)
      await expect(given(path)).rejects.toMatchObject({ code: 'KERNEL_MODULES_FOREIGN', reason: words })
  })
})

describe('the kernel for guests', () => {
  const find = (kernel?: string) => findKernel({ kernel, searchDirs: [root], inputs: new Inputs() })
  const image = () => join(root, `boot/vmlinuz-${version}`)

  test('can be an image, a tree or a directory of images', async () => {
    const found = { version, image: image(), modulesDir: join(root, 'lib/modules', version) }
    for (const path of [undefined, image(), root, join(root, 'boot')]) expect(await find(path)).toEqual(found)
  })

  test('is by default the newest one that has modules', async () => {
    put('boot/vmlinuz-6.1.0-10-test', bzImage(Buffer.from('x'), { version: '6.1.0-10-test' }))
    expect((await find()).version).toBe(version)
    mkdirSync(join(root, 'lib/modules/6.1.0-10-test'))
    expect((await find()).version).toBe('6.1.0-10-test')
  })

  test.each(['lib/modules', 'usr/lib/modules'])('can lie among its modules in %s', async folder => {
    const modulesDir = join(root, folder, '7.2.1-test')
    const beside = join(modulesDir, 'vmlinuz')
    put(`${folder}/7.2.1-test/vmlinuz`, bzImage(Buffer.from('x'), { version: '7.2.1-test' }))
    put(`${folder}/7.2.1-test/modules.order`, '')
    const found = { version: '7.2.1-test', image: beside, modulesDir }
    for (const path of [undefined, beside, modulesDir, root]) expect(await find(path)).toEqual(found)
  })

  test('that was copied away from its modules is found with those of its version', async () => {
    put('elsewhere/vmlinuz', bzImage(Buffer.from('x'), { version }))
    expect((await find(join(root, 'elsewhere/vmlinuz'))).modulesDir).toBe(join(root, 'lib/modules', version))
  })

  test('that does not exist is a usage error', async () => {
    await expect(find(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'KERNEL_MISSING', kind: 'usage' })
    await expect(find(join(root, 'usr'))).rejects.toMatchObject({ code: 'KERNEL_MISSING', kind: 'usage' })
  })

  test("that cannot be read is reported with the system's words", async () => {
    rmSync(image())
    mkdirSync(image())
    await expect(find()).rejects.toMatchObject({
      code: 'KERNEL_UNREADABLE',
      reason: expect.stringContaining('Is a directory'),
    })
  })
})
