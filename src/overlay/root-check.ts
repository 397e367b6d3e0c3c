import type { ArchiveEntry } from '../image/index.ts'
import { rootUnusable } from './errors.ts'

/** What a root has that decides how a guest can use it. */
export interface RootFacts {
  /** It has an init of its own: /sbin/init. */
  readonly hasInit: boolean
}

/** Checks that a guest can have this root. Throws ROOTFS_UNUSABLE: it has no /bin/sh, or one for another processor. */
export function checkRoot(entries: readonly ArchiveEntry[], target: string): RootFacts {
  const tree = new Map(entries.map(entry => [entry.path, entry]))
  const shell = find(tree, 'bin/sh')
  if (!shell) throw rootUnusable(target, 'it has no /bin/sh', { remedy: otherwise(tree) })
  if (shell.kind === 'file') requireProcessor(shell.content, target)
  return { hasInit: find(tree, 'sbin/init') !== undefined }
}

function otherwise(tree: ReadonlyMap<string, ArchiveEntry>): string {
  if (tree.has('manifest.json') || tree.has('oci-layout'))
    return 'It is the archive of an image and not of its files: make that with "docker export CONTAINER"'
  return 'Give a whole system: a directory or tar of debootstrap, mmdebstrap or "docker export"'
}

/** As many links as Linux follows. */
const mostLinks = 40

/** The entry that a path leads to inside of the root, all links followed (path_resolution(7)). */
function find(tree: ReadonlyMap<string, ArchiveEntry>, path: string): ArchiveEntry | undefined {
  const todo = path.split('/')
  const at: string[] = []
  for (let links = 0; todo.length > 0; ) {
    const name = todo.shift()!
    if (name === '' || name === '.') continue
    if (name === '..') {
      at.pop()
      continue
    }
    const entry = tree.get([...at, name].join('/'))
    if (entry?.kind !== 'link') at.push(name)
    else if (++links > mostLinks) return undefined
    else {
      if (entry.target.startsWith('/')) at.length = 0
      todo.unshift(...entry.target.split('/'))
    }
  }
  return tree.get(at.join('/'))
}

/** `e_machine` of elf(5), with the names that Debian gives to its ports. */
const processors: Readonly<Record<number, string>> = {
  3: 'i386',
  8: 'mips',
  21: 'ppc64el',
  22: 's390x',
  40: 'armhf',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}

function requireProcessor(program: Uint8Array, target: string): void {
  const isElf = program.length >= 20 && Buffer.from(program.subarray(0, 4)).toString('latin1') === '\x7fELF'
  if (!isElf) throw rootUnusable(target, 'its /bin/sh is not a program')
  const view = new DataView(program.buffer, program.byteOffset, program.length)
  const machine = view.getUint16(18, program[5] === 1)
  if (machine === 62 && program[4] === 2) return
  const name = processors[machine] ?? `the processor ${machine}`
  throw rootUnusable(target, `its /bin/sh is for ${name}, and guests are amd64`, {
    remedy: 'Make it for amd64: name that platform to Docker, or that architecture to debootstrap',
  })
}
