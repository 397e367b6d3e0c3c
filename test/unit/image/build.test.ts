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
import { buildImage, findKernel, Inputs } from '../../../src/image/index.ts'
import { bzImage, moduleFile, vmlinuxFile } from './elf-file.ts'

const version = '6.1.0-9-test'
let dir: string
let root: string

/** A tree with a small kernel, its modules, and every program that the guest needs. */
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-image-'))
  root = join(dir, 'root')
  const modules = ['virtio_pci', 'virtio_net', 'virtio_console', 'nf_tables']
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
    expect(image.modules).toEqual(['virtio_pci', 'virtio_net', 'virtio_console', 'nf_tables'])
    expect(Buffer.compare(readFileSync(image.vmlinux), vmlinuxFile())).toBe(0)
    const names = list(image.initramfs)
    const needed = ['init', 'bin/sh', 'sbin/ip', 'sbin/modprobe', 'usr/sbin/nft', 'dev/console', 'etc/hosts']
    expect(names).toEqual(expect.arrayContaining([...needed, `lib/modules/${version}/modules.dep`]))
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
      'npm run setup',
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
      'npm run setup',
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

  test('that does not exist is a usage error', async () => {
    await expect(find(join(dir, 'nowhere'))).rejects.toMatchObject({ code: 'KERNEL_MISSING', kind: 'usage' })
    await expect(find(join(root, 'usr'))).rejects.toMatchObject({ code: 'KERNEL_MISSING', kind: 'usage' })
  })

  test("that cannot be read is reported with the system's words", async () => {
    rmSync(image())
    mkdirSync(image())
    await expect(find()).rejects.toMatchObject({
      code: 'KERNEL_UNREADABLE',
      reason: expect.stringContaining('EISDIR'),
    })
  })
})
