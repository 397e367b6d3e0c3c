import { join } from 'node:path'
import { hostId, lastNodeId, nodeName } from '../../base/index.ts'
import { decoding, ImageError } from '../errors.ts'
import type { ArchiveEntry } from '../formats/cpio.ts'
import type { Inputs } from '../inputs.ts'
import { moduleLists } from '../kernel/depmod.ts'
import type { KernelModule } from '../kernel/modules.ts'
import { appletNames } from './busybox.ts'
import { damagedProgram, type Found, Sysroots } from './libraries.ts'

interface Program {
  /** Its path in the guest. */
  readonly path: string
  /** The places where a host may have it. */
  readonly from: readonly string[]
  /** Its Debian package, for the remedy. A program without one is optional. */
  readonly package?: string
}

const sbin = (name: string) => [`usr/sbin/${name}`, `sbin/${name}`, `usr/bin/${name}`, `bin/${name}`]

/** `dash` is needed because Debian's static busybox runs its own `ip` whatever PATH says (docs/image.md). */
const PROGRAMS: readonly Program[] = [
  { path: 'bin/busybox', from: ['usr/bin/busybox', 'bin/busybox'], package: 'busybox-static' },
  { path: 'sbin/ip', from: sbin('ip'), package: 'iproute2' },
  { path: 'usr/sbin/nft', from: sbin('nft'), package: 'nftables' },
  { path: 'usr/sbin/qemu-ga', from: sbin('qemu-ga'), package: 'qemu-guest-agent' },
  { path: 'bin/dash', from: ['usr/bin/dash', 'bin/dash'] },
  { path: 'usr/sbin/dropbear', from: sbin('dropbear') },
  { path: 'usr/bin/getent', from: ['usr/bin/getent', 'bin/getent'] },
]

/** Commands that scripts and the kernel call by their full path. */
const IN_SBIN = ['init', 'modprobe', 'insmod', 'poweroff', 'reboot', 'halt', 'sysctl', 'route', 'ifconfig']

export interface Contents {
  readonly entries: readonly ArchiveEntry[]
  readonly hasTelnetd: boolean
  readonly hasDropbear: boolean
}

/** The parts of a guest's root file system. */
export interface Ingredients {
  readonly inputs: Inputs
  readonly sysroots: readonly string[]
  readonly guestDir: string
  /** xcluster-guest, which gives a guest its identity. */
  readonly program: string
  readonly kernelVersion: string
  /** Those that init needs before it can read others from their disk. */
  readonly modules: readonly KernelModule[]
  /** The lines of `modules.builtin`. */
  readonly builtin: readonly string[]
}

export async function collectContents(ingredients: Ingredients): Promise<Contents> {
  const { inputs } = ingredients
  const roots = new Sysroots(ingredients.sysroots, inputs)
  const programs = await findPrograms(roots, ingredients)
  const has = (path: string) => programs.some(program => program.path === path)
  const busybox = programs.find(program => program.path === 'bin/busybox')!
  const applets = await decoding(damagedProgram(busybox), () => appletNames(busybox.content))
  const binaries = [...programs, ...(await roots.closure(programs))]
  return {
    entries: [
      ...skeleton(),
      ...appletLinks(applets, has('bin/dash')),
      ...binaries.map(({ path, content }) => file(path, content, 0o755)),
      ...moduleFiles(ingredients),
      file('etc/hosts', Buffer.from(hostsFile()), 0o644),
      file('sbin/xcluster-guest', await ownProgram(ingredients), 0o755),
      ...(await guestFiles(ingredients.guestDir, inputs)),
    ],
    hasTelnetd: applets.includes('telnetd'),
    hasDropbear: has('usr/sbin/dropbear'),
  }
}

async function findPrograms(roots: Sysroots, { inputs, sysroots }: Ingredients): Promise<Found[]> {
  const found: Found[] = []
  for (const program of PROGRAMS) {
    const from = roots.locate(program.from)
    if (from) found.push({ path: program.path, from, content: await inputs.read(from) })
    else if (program.package) throw missing(program, sysroots)
  }
  return found
}

async function ownProgram({ inputs, program }: Ingredients): Promise<Uint8Array> {
  if (inputs.has(program)) return inputs.read(program)
  throw new ImageError({
    code: 'PROGRAM_MISSING',
    kind: 'prerequisite',
    op: 'find guest program',
    target: 'xcluster-guest',
    reason: `the file ${program} does not exist`,
    remedy: 'Run: npx xc setup',
  })
}

function missing(program: Program, sysroots: readonly string[]): ImageError {
  return new ImageError({
    code: 'PROGRAM_MISSING',
    kind: 'prerequisite',
    op: 'find guest program',
    target: program.path.slice(program.path.lastIndexOf('/') + 1),
    reason: `none of ${sysroots.join(', ')} has it`,
    remedy: `Run "npx xc setup", or "sudo apt-get install ${program.package}"`,
  })
}

const file = (path: string, content: Uint8Array, mode: number): ArchiveEntry => ({
  path,
  kind: 'file',
  mode,
  content,
})
const directory = (path: string, mode = 0o755): ArchiveEntry => ({ path, kind: 'directory', mode })

function skeleton(): ArchiveEntry[] {
  return [
    ...['dev', 'proc', 'sys', 'mnt', 'run', 'etc/init.d', 'var/lib', 'var/log', 'etc/dropbear'].map(path =>
      directory(path),
    ),
    directory('root', 0o700),
    directory('tmp', 0o1777),
    { path: 'var/run', kind: 'link', target: '/run' },
    // The kernel needs it for init's console before init can mount anything.
    { path: 'dev/console', kind: 'device', mode: 0o600, major: 5, minor: 1 },
  ]
}

/**
 * Links to busybox for its commands. `login` and `shutdown` are scripts of this project, and `ip` is
 * iproute2's.
 */
function appletLinks(applets: readonly string[], dash: boolean): ArchiveEntry[] {
  const links = applets
    .filter(name => !['busybox', 'ip', 'sh', 'init', 'login'].includes(name))
    .map(name => link(`bin/${name}`, 'busybox'))
  const inSbin = IN_SBIN.filter(name => applets.includes(name)).map(name =>
    link(`sbin/${name}`, '../bin/busybox'),
  )
  return [...links, ...inSbin, link('bin/ip', '../sbin/ip'), link('bin/sh', dash ? 'dash' : 'busybox')]
}

const link = (path: string, target: string): ArchiveEntry => ({ path, kind: 'link', target })

function moduleFiles({ kernelVersion, modules, builtin }: Ingredients): ArchiveEntry[] {
  const below = (path: string) => `lib/modules/${kernelVersion}/${path}`
  return [
    ...modules.map(({ file: path, bytes }) => file(below(path), bytes, 0o644)),
    ...moduleLists(modules, builtin).map(list => ({ ...list, path: below(list.path) })),
  ]
}

/**
 * All possible nodes with their addresses on net 0. The image has the default prefix, which init replaces
 * when another one is set.
 */
export function hostsFile(prefix = 'fd00:'): string {
  const lines = ['127.0.0.1 localhost', '::1 localhost']
  lines.push(`192.168.0.${hostId} host`, `${prefix}:192.168.0.${hostId} host`)
  for (let node = 1; node <= lastNodeId; node++) {
    const name = nodeName(node)
    lines.push(`192.168.0.${node} ${name}`, `${prefix}:192.168.0.${node} ${name}`)
  }
  return `${lines.join('\n')}\n`
}

/** The files of `guest/`. Scripts are made executable, because package managers may change their mode. */
async function guestFiles(dir: string, inputs: Inputs, below = ''): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = []
  for (const name of await inputs.list(join(dir, below))) {
    const path = below ? `${below}/${name}` : name
    if (inputs.isDirectory(join(dir, path))) {
      entries.push(...(await guestFiles(dir, inputs, path)))
      continue
    }
    const content = await inputs.read(join(dir, path))
    entries.push(file(path, content, content.subarray(0, 2).toString() === '#!' ? 0o755 : 0o644))
  }
  return entries
}
