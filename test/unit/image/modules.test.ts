import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DecodeError } from '../../../src/base/index.ts'
import { Inputs } from '../../../src/image/inputs.ts'
import { modulesAlias, modulesDep } from '../../../src/image/kernel/depmod.ts'
import { readModuleInfo } from '../../../src/image/kernel/modinfo.ts'
import { ModuleTree } from '../../../src/image/kernel/modules.ts'
import { elfFile, moduleFile } from './elf-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-modules-'))
  const put = (name: string, bytes: Uint8Array | string) => {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), bytes)
  }
  put('kernel/virtio.ko', moduleFile({ name: 'virtio', depends: 'virtio_ring' }))
  put('kernel/virtio_ring.ko', moduleFile({ name: 'virtio_ring', depends: '' }))
  put(
    'kernel/virtio-net.ko.gz',
    gzipSync(
      moduleFile({
        name: 'virtio_net',
        depends: 'virtio,virtio-ring,core',
        softdep: 'pre: extra gone',
        alias: ['virtio:d1', 'net'],
      }),
    ),
  )
  put('kernel/extra.ko', moduleFile({ name: 'extra', depends: '' }))
  put('kernel/lost.ko', moduleFile({ name: 'lost', depends: 'nowhere' }))
  put('kernel/bad.ko', 'not a module')
  const order = ['virtio', 'virtio_ring', 'virtio-net', 'extra', 'lost', 'bad', 'uninstalled']
  put('modules.order', order.map(name => `kernel/${name}.ko\n`).join(''))
  put('modules.builtin', 'kernel/lib/core.ko\n')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const open = () => ModuleTree.open(dir, new Inputs())

test('each module comes after those that it needs, without built-in ones, with optional ones that exist', async () => {
  const modules = await (await open()).resolve(['virtio_net', 'core'])
  expect(modules.map(({ name }) => name)).toEqual(['extra', 'virtio_ring', 'virtio', 'virtio_net'])
})

test('modules.dep names all dependencies, the first to load last, and modules.alias every alias', async () => {
  const modules = await (await open()).resolve(['virtio-net'])
  expect(modulesDep(modules)).toBe(
    [
      'kernel/extra.ko:',
      'kernel/virtio_ring.ko:',
      'kernel/virtio.ko: kernel/virtio_ring.ko',
      'kernel/virtio-net.ko: kernel/extra.ko kernel/virtio.ko kernel/virtio_ring.ko\n',
    ].join('\n'),
  )
  expect(modulesAlias(modules)).toBe('alias virtio:d1 virtio_net\nalias net virtio_net\n')
})

test('modules that are built in are known by their lines in the list of the kernel', async () => {
  const tree = await open()
  expect(tree.builtin).toEqual(['kernel/lib/core.ko'])
  expect(['core', 'virtio_net', 'nosuch', 'uninstalled'].map(name => tree.has(name))).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('a module that the kernel lacks is an error, or left out when it is optional', async () => {
  const tree = await open()
  await expect(tree.resolve(['nosuch'])).rejects.toMatchObject({
    code: 'KERNEL_MODULES_MISSING',
    kind: 'prerequisite',
  })
  await expect(tree.resolve(['uninstalled'])).rejects.toMatchObject({ code: 'KERNEL_MODULES_MISSING' })
  expect(await tree.resolve(['nosuch', 'uninstalled'], { optional: true })).toEqual([])
})

test('a missing dependency of an optional module is an error', async () => {
  await expect((await open()).resolve(['lost'], { optional: true })).rejects.toThrow(
    'the module nowhere is missing',
  )
})

test('the error for a damaged module names its file', async () => {
  await expect((await open()).resolve(['bad'])).rejects.toMatchObject({
    code: 'MODULE_DAMAGED',
    target: join(dir, 'kernel/bad.ko'),
  })
})

test('a directory without the module lists is refused', async () => {
  await expect(ModuleTree.open(join(dir, 'kernel'), new Inputs())).rejects.toThrow('modules.order is missing')
})

test('.modinfo is read completely', () => {
  const info = readModuleInfo(
    moduleFile({ name: 'a', depends: 'b,c-d', softdep: ['pre: e f post: g', 'post: h'], alias: 'x*' }),
  )
  expect(info).toEqual({ name: 'a', depends: ['b', 'c_d'], softDepends: ['e', 'f'], aliases: ['x*'] })
  expect(() => readModuleInfo(elfFile({}))).toThrow(DecodeError)
})
