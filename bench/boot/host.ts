import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Places, places, type Scope } from '../../src/base/index.ts'
import type { GuestImage } from '../../src/image/index.ts'
import type { Accel, Qemu } from '../../src/vm/index.ts'
import { built } from '../built.ts'
import { overlayScript } from './overlay.ts'
import { compileProber } from './prober.ts'

/** What all variants use. */
export interface HostResources {
  /** With a cache for this run alone, so that templates are really built. */
  readonly places: Places
  readonly qemu: Qemu
  readonly accel: Accel
  readonly bzImage: string
  readonly image: GuestImage
  /** This project's image with the original's overlay in it. */
  readonly overlaid: GuestImage
  readonly prober: string
}

export async function findHostResources(scope: Scope): Promise<HostResources> {
  const directory = mkdtempSync(join(tmpdir(), 'xcluster-bench-'))
  scope.defer(() => rmSync(directory, { recursive: true }))
  const users = places({ HOME: homedir(), ...process.env }, process.getuid!())
  const cacheDir = places({ XDG_CACHE_HOME: directory }, 0).cache // `xc start` is to find it as well
  mkdirSync(cacheDir)
  symlinkSync(join(users.cache, 'fetched'), join(cacheDir, 'fetched'))
  const [{ buildImage, findKernel, Inputs }, { findQemu, detectAccel }] = [
    await built('image'),
    await built('vm'),
  ]
  const guestDir = join(directory, 'guest')
  cpSync(resolve('guest'), guestDir, { recursive: true })
  mkdirSync(join(guestDir, 'etc/init.d'), { recursive: true })
  writeFileSync(join(guestDir, 'etc/init.d/20network.rc'), overlayScript, { mode: 0o755 })
  const searchDirs = [join(cacheDir, 'fetched/root'), '/']
  const qemu = await findQemu({ searchPath: process.env.PATH! })
  const notice = (text: string) => void process.stderr.write(`${text}\n`)
  return {
    places: { ...users, cache: cacheDir },
    qemu,
    accel: await detectAccel({ want: 'auto', qemu, cacheDir, notice }),
    bzImage: (await findKernel({ searchDirs, inputs: new Inputs() })).image,
    image: await buildImage({ cacheDir, guestDir: resolve('guest') }),
    overlaid: await buildImage({ cacheDir, guestDir }),
    prober: compileProber(scope),
  }
}
