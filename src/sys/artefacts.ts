import { accessSync, closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { reasonOf } from '../base/index.ts'
import { attempt, isShortage, SysError } from './errors.ts'
import { packageRoot } from './package-root.ts'

/** What native/ becomes: the addon, the program that starts others, what QEMU loads, the program that runs in guests. */
export type Artefact = 'xcluster.node' | 'xcluster-launcher' | 'xcluster-qemu.so' | 'xcluster-guest'

export const remedy = 'Run: npx xc setup'

/** The guest is an x86-64 machine, whatever the host is. */
const processorOf = (name: Artefact): string => (name === 'xcluster-guest' ? 'x64' : process.arch)

/** Where an artefact can be: built here by node-gyp, or beforehand for this platform. The first one that exists counts. */
export function placesOf(name: Artefact, root = packageRoot()): string[] {
  return [`${root}build/Release/${name}`, `${root}prebuilds/linux-${processorOf(name)}/${name}`]
}

/**
 * The path of an artefact, which is whole and for the right processor. Throws ARTEFACT_MISSING and ARTEFACT_DAMAGED.
 */
export function artefact(name: Artefact, places = placesOf(name)): string {
  const path = places.find(existsSync)
  if (path === undefined) throw missing(name, places)
  const fault = faultOf(path, name)
  if (fault === undefined) return path
  const again = path.includes('/prebuilds/') ? 'Install xcluster again: npm install --force xcluster' : remedy
  throw new SysError({
    code: 'ARTEFACT_DAMAGED',
    kind: 'prerequisite',
    op: 'use',
    target: path,
    reason: fault,
    remedy: again,
  })
}

function missing(name: Artefact, [built = '', prebuilt = '']: readonly string[]): SysError {
  const [platform = ''] = prebuilt.split('/').slice(-2)
  const reason = `xcluster comes without it for ${platform}, and it has not been built`
  const remedy = 'Run: npx xc setup (it builds with python3, make and g++)'
  const about = { kind: 'prerequisite', op: `find ${name}`, target: built } as const
  return new SysError({ ...about, code: 'ARTEFACT_MISSING', reason, remedy })
}

/** ELF header, in bytes: elf(5), `Elf64_Ehdr`. */
const headerLength = 64
/** `e_machine` by Node's names of processors. */
const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }

/**
 * What is wrong with an ELF file, if anything. Its section headers are at its end, so they tell when the end is missing:
 * loading such a file would kill the process (SIGBUS).
 */
function faultOf(path: string, name: Artefact): string | undefined {
  const header = Buffer.alloc(headerLength)
  let size: number
  try {
    size = attempt('read', path, () => readHeader(path, header))
    if (name === 'xcluster-launcher') accessSync(path, constants.X_OK)
  } catch (failure) {
    if (isShortage(failure)) throw failure // the file is whole
    return reasonOf(failure)
  }
  if (size < headerLength || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2)
    return `it is not a 64-bit ELF file (${size} bytes)`
  const end = Number(header.readBigUInt64LE(0x28)) + header.readUInt16LE(0x3a) * header.readUInt16LE(0x3c)
  if (size < end) return `it ends early: it has ${size} of ${end} bytes`
  const machine = machines[processorOf(name)]
  if (machine === undefined || header.readUInt16LE(0x12) === machine) return undefined
  return `it is for another processor than ${processorOf(name)}`
}

/** Reads the begin of a file, and returns the size of the file. */
function readHeader(path: string, header: Buffer): number {
  const fd = openSync(path, 'r')
  try {
    readSync(fd, header, 0, headerLength, 0)
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}
