import { writeFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { type ArchiveEntry, writeIso } from '../image/index.ts'
import { type Additions, writeTar } from '../overlay/index.ts'
import { planCluster, type Settings } from '../plan/index.ts'
import { sealedMemfd } from '../sys/index.ts'
import { makeDiskImage } from '../vm/index.ts'
import { type AdditionsOptions, NodeAdditions } from './additions.ts'
import { findHostResources, type HostOptions, specOf } from './host.ts'

export interface ExtendOptions extends AdditionsOptions, HostOptions {
  /** Where the new image is to be. One that is there is replaced. */
  readonly path: string
  readonly signal?: AbortSignal
}

/** A guest may take this long for its boot, and for each MiB that it unpacks. */
const limit = { fixed: 180_000, perMiB: 1_000 }

/**
 * Makes a new disk image of that of the settings, with their overlays and programs on it. They are unpacked by a guest
 * that is started for this, so all file systems that guests know will do. Resolves with the count of files. Throws
 * DISK_NOT_MADE, and what a start throws for an image, an overlay or a program that cannot be used.
 */
export async function extendImage(settings: Settings, options: ExtendOptions): Promise<number> {
  const { path, signal } = options
  const [node] = planCluster(settings).nodes
  const additions = new NodeAdditions(settings, options)
  // The files are on the disk: the guest's memory does not bound them.
  await additions.prepare([{ ...node!, memMiB: Number.MAX_SAFE_INTEGER }], signal)
  const host = await findHostResources(settings, options)
  const { disk } = host.software(node!.id)
  const added = additions.of(node!)
  if (!disk || !added) throw new Error('there is no disk image, or nothing to put on it')
  const entries = (await added.entries()).filter(entry => !entry.path.startsWith('run/')) // /run is in memory
  const iso = await unpackDisk(entries, added.accounts)
  await using memory = await sealedMemfd('xcluster-extend', fd => writeFileSync(fd, iso))
  const place = { nics: [], namespace: undefined, consoleLog: '/dev/null' }
  const { disks = [], ...spec } = specOf(node!, settings, { host, place })
  const whole = { ...spec, bootDisk: disk, disks: [...disks, extendDisk(memory.fd)] }
  await makeDiskImage(whole, {
    ...{ path, qemu: host.qemu, size: disk.size, signal },
    done: 'xcluster: extended',
    limitMs: limit.fixed + (iso.length / 2 ** 20) * limit.perMiB,
  })
  return entries.filter(({ kind }) => kind !== 'directory').length
}

/** The disk that `guest/etc/xcluster/extend` unpacks. */
function extendDisk(fd: number) {
  return { path: `/proc/self/fd/${fd}`, serial: 'xcluster-extend' }
}

async function unpackDisk(
  entries: readonly ArchiveEntry[],
  accounts: Additions['accounts'],
): Promise<Uint8Array> {
  const isDirectory = ({ kind }: ArchiveEntry) => kind === 'directory'
  const archive = await buffer(writeTar(entries.filter(entry => !isDirectory(entry))))
  const script = unpackScript(entries.filter(isDirectory), accounts)
  const file = (path: string, content: Uint8Array) => ({ path, kind: 'file', mode: 0o644, content }) as const
  return writeIso([file('unpack', Buffer.from(script)), file('files.tar', archive)], {
    label: 'EXTEND',
  })
}

/** What the guest runs in the image's root. tar(1) would give a directory that is there other modes and another owner. */
function unpackScript(directories: readonly ArchiveEntry[], accounts: Additions['accounts']): string {
  return `set -e
box=/.xcluster/bin/busybox
directory() { [ -d "$1" ] || { $box mkdir -p -m $2 "$1"; $box chown $3 "$1"; }; }
account() {
	$box grep -q "^$1:" /etc/passwd || echo "$1:x:$2:$2::/nonexistent:/usr/sbin/nologin" >>/etc/passwd
	$box grep -q "^$1:" /etc/group || echo "$1:x:$2:" >>/etc/group
}
umask 022
cd /
${directories.map(directoryLine).join('\n')}
$box tar -xf /.xcluster/mnt/files.tar
${accounts.map(({ name, id }) => `account ${quoted(name)} ${id}`).join('\n')}
`
}

function directoryLine(entry: ArchiveEntry): string {
  const mode = 'mode' in entry ? entry.mode.toString(8) : '755'
  return `directory ${quoted(`/${entry.path}`)} ${mode} ${entry.uid ?? 0}:${entry.gid ?? 0}`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
