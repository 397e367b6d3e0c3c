import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import type { Identity } from '../sys/index.ts'
import { kvmDevice } from './kvm-identity.ts'
import type { Qemu } from './types.ts'

/** A verdict on KVM: why it cannot be used, or null when it can. */
export type Verdict = { readonly trouble: string | null }

/**
 * Everything the verdict depends on, hashed: this boot, its kernel, QEMU's binary, the device and who may open
 * it, and who will want to.
 */
export async function verdictKey(qemu: Qemu, identity: Identity | undefined): Promise<string> {
  const [boot, binary, device] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    stat(qemu.path),
    stat(kvmDevice).catch(() => undefined),
  ])
  const facts = [
    boot.trim(),
    release(),
    [qemu.path, qemu.version, binary.size, binary.mtimeMs],
    device ? [device.rdev, device.mode, device.uid, device.gid] : 'no device',
    identity ? ['as', identity.gid, identity.groups ?? []] : ['self', process.getuid?.()],
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** The last verdict, where it is this key's. Whatever is wrong with the file is a reason to look again. */
export async function recallVerdict(cacheDir: string, key: string): Promise<Verdict | undefined> {
  try {
    const stored = JSON.parse(await readFile(fileIn(cacheDir), 'utf8')) as {
      key?: unknown
      trouble?: unknown
    }
    const { trouble } = stored
    return stored.key === key && (trouble === null || typeof trouble === 'string') ? { trouble } : undefined
  } catch {
    return undefined
  }
}

/** A cache that cannot be written costs time, nothing else. */
export async function rememberVerdict(cacheDir: string, key: string, verdict: Verdict): Promise<void> {
  const draft = `${fileIn(cacheDir)}.${process.pid}`
  try {
    await mkdir(cacheDir, { recursive: true, mode: 0o700 })
    await writeFile(draft, JSON.stringify({ key, ...verdict }))
    await rename(draft, fileIn(cacheDir))
  } catch {}
}

function fileIn(cacheDir: string): string {
  return join(cacheDir, 'accelerator.json')
}
