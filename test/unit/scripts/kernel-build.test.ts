import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { inProject } from '../../house/project.ts'

/**
 * A machine with one package source, whose `linux-source` is built with the targets of Linux in a second. Its compiler
 * fails while the file `broken` exists.
 */
let dir: string
const makefile = `
.PHONY: allnoconfig bzImage modules modules_install
allnoconfig:
	cp $(KCONFIG_ALLCONFIG) $(O)/.config
	sed -i 's/^CONFIG_ABSENT=.*//' $(O)/.config
	mkdir -p $(O)/include/config && echo "6.1.$$(cat patch)$$(sed -n 's/^CONFIG_LOCALVERSION="\\(.*\\)"/\\1/p' $(O)/.config)" >$(O)/include/config/kernel.release
bzImage: $(O)/first.o $(O)/second.o
	mkdir -p $(O)/arch/x86/boot && cat $^ >$(O)/arch/x86/boot/bzImage
$(O)/%.o:
	@echo "  CC      $*.o"; echo $* >>$(O)/compiled
	@if [ $* = second ] && [ -e broken ]; then echo "second.c:1: error: it is broken" >&2; exit 1; fi
	@echo $* >$@
modules: ;
modules_install:
	d=$(INSTALL_MOD_PATH)/lib/modules/$$(cat $(O)/include/config/kernel.release); mkdir -p $$d && touch $$d/modules.order && ln -s / $$d/build
`
const kconfig = 'config ABSENT\n\ttristate "It"\n\tdepends on NET && MOON\n\tdepends on SUN\n\nconfig OTHER\n'

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'xcluster-kernel-'))
  for (const name of ['lists/partial', 'archives/partial', 'state', 'repo', 'cache', 'tools'])
    mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'status'), '')
  writeFileSync(join(dir, 'sources.list'), `deb [trusted=yes] file:${dir}/repo ./\n`)
  const places = { 'State::Lists': 'lists', State: 'state', 'State::status': 'status', Cache: '.' }
  const lines = Object.entries({ ...places, 'Etc::SourceList': 'sources.list' }).map(
    ([key, path]) => `Dir::${key} "${join(dir, path)}";\n`,
  )
  const others = [
    'Dir::Etc::SourceParts "/dev/null";\n',
    'APT::Sandbox::User "root";\n',
    '#clear APT::Update;\n',
  ]
  writeFileSync(join(dir, 'apt.conf'), [...lines, ...others].join(''))
  // Programs that a kernel needs and this source does not.
  for (const name of ['bc', 'bison', 'flex', 'gcc', 'perl']) {
    writeFileSync(join(dir, 'tools', name), '#!/bin/sh\n')
    chmodSync(join(dir, 'tools', name), 0o755)
  }
  for (const name of ['stdio.h', 'libelf.h']) writeFileSync(join(dir, 'tools', name), '')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Puts the source 6.1.PATCH into the package source. */
function publish(patch: number, { broken = false } = {}): void {
  const tree = join(dir, `linux-source-6.1`)
  mkdirSync(join(tree, 'arch/arm'), { recursive: true })
  writeFileSync(join(tree, 'Makefile'), makefile)
  writeFileSync(join(tree, 'Kconfig'), kconfig)
  writeFileSync(join(tree, 'patch'), `${patch}`)
  for (const name of ['big.c', 'big.dtsi', 'Kconfig']) writeFileSync(join(tree, 'arch/arm', name), '')
  if (broken) writeFileSync(join(tree, 'broken'), '')
  rmSync(join(dir, 'repo'), { recursive: true, force: true })
  mkdirSync(join(dir, 'repo'))
  const archive = join(dir, 'tree/usr/src/linux-source-6.1.tar.xz')
  mkdirSync(dirname(archive), { recursive: true })
  execFileSync('tar', ['-C', dir, '-cJf', archive, 'linux-source-6.1'])
  rmSync(tree, { recursive: true })
  const version = `6.1.${patch}-1`
  const source = packed({ name: 'linux-source-6.1', version, tree: join(dir, 'tree') })
  mkdirSync(join(dir, 'empty'), { recursive: true })
  const depends = `Depends: linux-source-6.1 (= ${version})\n`
  const meta = packed({ name: 'linux-source', version, tree: join(dir, 'empty'), depends })
  writeFileSync(join(dir, 'repo/Packages'), `${source}\n${meta}`)
  execFileSync('apt-get', ['update'], {
    env: { ...process.env, APT_CONFIG: join(dir, 'apt.conf') },
    stdio: 'pipe',
  })
}

/** Makes a package of a tree. Returns its paragraph of the index. */
function packed(of: { name: string; version: string; tree: string; depends?: string }): string {
  const { name, version, tree, depends = '' } = of
  const about = 'Architecture: all\nMaintainer: test <t@example.org>\n'
  const control = `Package: ${name}\nVersion: ${version}\n${about}${depends}Description: test\n`
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
  writeFileSync(join(tree, 'DEBIAN/control'), control)
  const deb = join(dir, 'repo', `${name}.deb`)
  execFileSync('dpkg-deb', ['--build', '-Znone', tree, deb])
  const bytes = readFileSync(deb)
  const hash = createHash('sha256').update(bytes).digest('hex')
  return `${control}Filename: ./${name}.deb\nSize: ${bytes.length}\nSHA256: ${hash}\n`
}

function build(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const script = inProject('scripts/setup/kernel/main.js')
  const path = [join(dir, 'tools'), process.env.PATH].join(delimiter)
  const own = {
    APT_CONFIG: join(dir, 'apt.conf'),
    XDG_CACHE_HOME: join(dir, 'cache'),
    PATH: path,
    CPATH: join(dir, 'tools'),
    CI: '1',
  }
  return spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...own, ...env },
  })
}

const kernels = () => join(dir, 'cache/xcluster/kernels')
/** What was compiled, each time that it was. */
const compiled = () => {
  const list = join(kernels(), 'linux-source-6.1_6.1.7-1.objects/compiled')
  return readFileSync(list, 'utf8').trim().split('\n').sort()
}

function fragment(...lines: string[]): string {
  const file = join(dir, 'own.config')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return `--fragment=${file}`
}

describe('a kernel', () => {
  test('is built from the source that apt has, and a second time nothing is done, without any tool', () => {
    publish(7)
    const { status, stdout, stderr } = build()
    expect([status, stderr]).toEqual([0, expect.stringContaining('✔ Kernel: 2 files compiled')])
    const result = stdout.trim()
    expect(dirname(result)).toBe(kernels())
    const [image] = readdirSync(join(result, 'boot')).filter(name => name.startsWith('vmlinuz-'))
    const release = image!.slice('vmlinuz-'.length)
    expect(release).toMatch(/^6\.1\.7-xcluster-[0-9a-f]{8}$/)
    expect(readdirSync(join(result, 'lib/modules', release))).toEqual(['modules.order'])
    expect(readdirSync(join(kernels(), 'linux-source-6.1_6.1.7-1/arch/arm'))).toEqual(['Kconfig'])
    expect(readdirSync(kernels()).filter(name => name.startsWith('.'))).toEqual([])

    const again = build([], { PATH: withCommands('sh', 'flock', 'cat') })
    expect([again.status, again.stdout]).toEqual([0, stdout])
    expect(again.stderr).toContain('· Result: up to date')
    expect(compiled()).toEqual(['first', 'second'])
  })

  test('with other options is another one, for which what is unchanged is not compiled again', () => {
    publish(7)
    const plain = build().stdout.trim()
    const other = build([fragment('CONFIG_VETH=y', '# CONFIG_DUMMY is not set')]).stdout.trim()
    expect(other).not.toBe(plain)
    expect(readFileSync(configOf(other), 'utf8')).toContain('\nCONFIG_VETH=y\n')
    expect(readFileSync(configOf(plain), 'utf8')).toContain('\nCONFIG_VETH=m\n')
    expect(compiled()).toEqual(['first', 'second'])
    // Its own default, said once more, is the same kernel.
    expect(build([fragment('CONFIG_VETH=m')]).stdout.trim()).toBe(plain)
  })

  test('that did not compile shows why, and the next build goes on where it stopped', () => {
    publish(7, { broken: true })
    const { status, stdout, stderr } = build()
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toContain('second.c:1: error: it is broken')
    expect(stderr).toContain(`All of its output is in ${join(kernels(), 'build.log')}`)
    rmSync(join(kernels(), 'linux-source-6.1_6.1.7-1/broken'))
    expect(build().status).toBe(0)
    expect(compiled()).toEqual(['first', 'second', 'second'])
  })

  test('stays that of its source until a newer one is asked for, which removes the older source', () => {
    publish(7)
    const first = build().stdout
    publish(8)
    expect(build().stdout).toBe(first)
    const newer = build(['--refresh']).stdout
    expect(newer).toMatch(/linux-6\.1\.8-1-/)
    expect(build().stdout).toBe(newer)
    expect(readdirSync(kernels()).filter(name => name.includes('source'))).toEqual([
      'linux-source-6.1_6.1.8-1',
      'linux-source-6.1_6.1.8-1.objects',
    ])
    expect(existsSync(first.trim())).toBe(true)
  })
})

const configOf = (result: string) => {
  const [name] = readdirSync(join(result, 'boot')).filter(each => each.startsWith('config-'))
  return join(result, 'boot', name!)
}

/** A PATH with these programs alone. */
function withCommands(...names: string[]): string {
  const folder = mkdtempSync(join(dir, 'path-'))
  for (const name of names) {
    const found = process.env.PATH!.split(delimiter).find(each => existsSync(join(each, name)))
    symlinkSync(join(found!, name), join(folder, name))
  }
  return folder
}

describe('a build is refused in one sentence, before anything is fetched,', () => {
  const refused = (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const { status, stdout, stderr } = build(args, env)
    expect(stdout).toBe('')
    return { status, said: stderr.trim().split('\n').at(-1) }
  }

  test('without a tool: its package is named', () => {
    const { status, stderr } = build([], {
      PATH: withCommands('sh', 'flock', 'cat', 'apt-get', 'gcc', 'perl'),
    })
    expect(status).toBe(4)
    expect(stderr).toMatch(/apt-get install -y --no-install-recommends bc bison flex .*make/)
    expect(readdirSync(kernels())).toEqual(['build.log'])
  })

  test('with a fragment that does not exist, or has a line that is not an option', () => {
    expect(refused(['--fragment=/nowhere'])).toEqual({
      status: 2,
      said: expect.stringContaining('The fragment /nowhere cannot be read (ENOENT)'),
    })
    expect(refused([fragment('# mine', 'CONFIG_VETH=m', 'VETH=y')])).toEqual({
      status: 2,
      said: expect.stringContaining("own.config, line 3: 'VETH=y' is not an option of a kernel"),
    })
  })

  test('in a folder whose path Linux cannot be built in', () => {
    const home = join(dir, 'a b')
    expect(refused([], { XDG_CACHE_HOME: home }).said).toContain('its path has a space or a colon')
  })

  test('when apt has no source', () => {
    writeFileSync(join(dir, 'repo/Packages'), '')
    const { status, said } = refused([])
    expect(status).toBe(4)
    expect(said).toContain('(KERNEL_SOURCE_UNFETCHED)')
  })
})

describe('options without effect', () => {
  beforeEach(() => publish(7))

  test('are named with what they depend on', () => {
    const { status, stderr } = build([fragment('CONFIG_ABSENT=m')])
    expect(status).toBe(2)
    expect(stderr).toContain('CONFIG_ABSENT=m has no effect: it depends on NET && MOON, and on SUN (Kconfig)')
  })

  test('are refused when guests need what they turn off', () => {
    const { status, stderr } = build([fragment('# CONFIG_VIRTIO_NET is not set')])
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('CONFIG_VIRTIO_NET is off, and guests need it'),
    ])
  })
})
