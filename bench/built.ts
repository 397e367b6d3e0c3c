import { existsSync } from 'node:fs'
import type * as Base from '../src/base/index.ts'
import type * as Cluster from '../src/cluster/index.ts'
import type * as Dns from '../src/dns/index.ts'
import type * as Files from '../src/files/index.ts'
import type * as Guest from '../src/guest/index.ts'
import type * as Image from '../src/image/index.ts'
import type * as Net from '../src/net/index.ts'
import type * as Netlink from '../src/netlink/index.ts'
import type * as Qmp from '../src/qmp/index.ts'
import type * as Rtnl from '../src/rtnl/index.ts'
import type * as Stream from '../src/stream/index.ts'
import type * as Sys from '../src/sys/index.ts'
import type * as Testing from '../src/testing/index.ts'
import type * as Vm from '../src/vm/index.ts'

interface Floors {
  base: typeof Base
  cluster: typeof Cluster
  dns: typeof Dns
  files: typeof Files
  guest: typeof Guest
  image: typeof Image
  net: typeof Net
  netlink: typeof Netlink
  qmp: typeof Qmp
  rtnl: typeof Rtnl
  stream: typeof Stream
  sys: typeof Sys
  testing: typeof Testing
  vm: typeof Vm
}

/** Where the build lies. */
export const dist = new URL('../dist/', import.meta.url)

/**
 * The build of a floor, which users run. Its sources, run through a loader, would be measured with the loader's
 * overhead. `root`: another build, with a slash at its end.
 */
export async function built<Name extends keyof Floors>(name: Name, root = dist): Promise<Floors[Name]> {
  return builtFile(`${name}/index.js`, root)
}

/** The build of one file, whose floor does not give away what is measured or replaced. */
export async function builtFile<Module>(path: string, root = dist): Promise<Module> {
  const file = new URL(path, root)
  if (!existsSync(file)) throw new Error(`dist/${path} has not been built. Run: npm run build`)
  return import(file.href)
}
