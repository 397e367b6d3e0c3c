import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fetchGuest } from '../../../scripts/fetch-guest.js'

interface Package {
  readonly name: string
  readonly depends?: string | undefined
  readonly files?: readonly string[] | undefined
}

/** A machine's apt with one source: packages made here. */
let dir: string
const before = process.env.APT_CONFIG
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-apt-'))
  for (const name of ['lists/partial', 'archives/partial', 'state', 'repo'])
    mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'repo/Packages'), '')
  writeFileSync(join(dir, 'status'), '')
  writeFileSync(join(dir, 'sources.list'), `deb [trusted=yes] file:${dir}/repo ./\n`)
  const paths = {
    'State::Lists': 'lists',
    State: 'state',
    'State::status': 'status',
    Cache: '.',
    'Etc::SourceList': 'sources.list',
  }
  const places = Object.entries(paths).map(([key, path]) => `Dir::${key} "${join(dir, path)}";\n`)
  const others = [
    'Dir::Etc::SourceParts "/dev/null";\n',
    'APT::Sandbox::User "root";\n',
    '#clear APT::Update;\n',
  ]
  writeFileSync(join(dir, 'apt.conf'), [...places, ...others].join(''))
  process.env.APT_CONFIG = join(dir, 'apt.conf')
})
afterEach(() => {
  if (before === undefined) delete process.env.APT_CONFIG
  else process.env.APT_CONFIG = before
  rmSync(dir, { recursive: true, force: true })
})

function put({ name, depends = '', files = [] }: Package): void {
  const tree = join(dir, 'tree', name)
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }
  const fields = {
    Package: name,
    Version: '1',
    Architecture: 'all',
    Maintainer: 'test <t@example.org>',
    Depends: depends,
    Description: 'test',
  }
  const control = Object.entries(fields)
    .map(([key, value]) => (value ? `${key}: ${value}\n` : ''))
    .join('')
  write('DEBIAN/control', control)
  for (const file of files) write(file, file)
  const deb = join(dir, 'repo', `${name}.deb`)
  execFileSync('dpkg-deb', ['--build', '-Znone', tree, deb])
  const bytes = readFileSync(deb)
  const hash = createHash('sha256').update(bytes).digest('hex')
  const entry = `${control}Filename: ./${name}.deb\nSize: ${bytes.length}\nSHA256: ${hash}\n\n`
  appendFileSync(join(dir, 'repo/Packages'), entry)
}

const others = ['qemu-guest-agent', 'busybox-static', 'dash', 'iproute2', 'nftables'].map(name => ({ name }))
const modules = ['kernel/a.ko', 'modules.order', 'modules.builtin'].map(
  name => `usr/lib/modules/9.9-cloud/${name}`,
)
const [image, meta] = ['linux-image-9.9-cloud', 'linux-image-cloud-amd64']
/** Debian 12 and 13: one package. */
const whole = [
  { name: meta, depends: image },
  {
    name: image,
    depends: 'kmod, linux-base (>= 4.3)',
    files: ['boot/vmlinuz-9.9-cloud', 'boot/System.map-9.9-cloud', ...modules],
  },
]
/** Since Linux 7.2 the package of the image is empty. */
const divided = [
  { name: meta, depends: `${image}, linux-base-cloud-amd64` },
  {
    name: image,
    depends: 'linux-base-9.9-cloud (= 1), linux-binary-9.9-cloud (= 1), linux-modules-9.9-cloud (= 1)',
  },
  { name: 'linux-binary-9.9-cloud', files: ['usr/lib/modules/9.9-cloud/vmlinuz'] },
  { name: 'linux-modules-9.9-cloud', depends: 'kmod', files: modules.slice(0, 1) },
  { name: 'linux-base-9.9-cloud', files: modules.slice(1) },
]

async function fetched(packages: readonly Package[]) {
  for (const each of [...packages, ...others]) put(each)
  execFileSync('apt-get', ['-qq', 'update'])
  return fetchGuest({ cacheDir: join(dir, 'cache') })
}

const whyNot =
  ['apt-get', 'dpkg-deb'].some(name => spawnSync(name, ['--version']).error) && 'this machine has no apt'

describe('fetching packages for guests', () => {
  beforeEach(context => void (whyNot && context.skip(whyNot)))

  test('brings a kernel that is one package', async () => {
    const { root } = await fetched(whole)
    expect(existsSync(join(root, 'boot/vmlinuz-9.9-cloud'))).toBe(true)
    expect(existsSync(join(root, 'boot/System.map-9.9-cloud'))).toBe(false)
    expect((await fetchGuest({ cacheDir: join(dir, 'cache') })).upToDate).toBe(true)
  })

  test('brings a kernel that is divided into image, modules and their lists', async () => {
    const { root, packages } = await fetched(divided)
    expect(Object.keys(packages)).toEqual(expect.arrayContaining(divided.slice(1).map(({ name }) => name)))
    for (const name of ['vmlinuz', 'kernel/a.ko', 'modules.order', 'modules.builtin'])
      expect(existsSync(join(root, 'usr/lib/modules/9.9-cloud', name)), name).toBe(true)
    expect((await fetchGuest({ cacheDir: join(dir, 'cache') })).upToDate).toBe(true)
  })

  test('brings the kernel also where this machine runs the same', async () => {
    writeFileSync(
      join(dir, 'status'),
      `Package: ${image}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: t\nDescription: t\n\n`,
    )
    const { root } = await fetched(whole)
    expect(existsSync(join(root, 'boot/vmlinuz-9.9-cloud'))).toBe(true)
  })

  test.each([
    [
      'no image',
      divided
        .filter(({ name }) => name !== 'linux-binary-9.9-cloud')
        .map(each => ({ ...each, depends: each.depends?.replace(/linux-binary\S+ \(= 1\), /, '') })),
    ],
    ['no modules', whole.map(each => ({ ...each, files: each.files?.slice(0, 1) }))],
  ])('fails, and leaves nothing, when the packages have %s', async (_, packages) => {
    const failure = await fetched(packages).catch(thrown => thrown)
    expect(failure.message).toMatch(
      /^The packages linux-\S+=1.* have no kernel with its modules: give one with --kernel\.$/,
    )
    expect(existsSync(join(dir, 'cache/fetched/root'))).toBe(false)
  })
})
