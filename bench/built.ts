import { existsSync } from 'node:fs'
import type * as Base from '../src/base/index.ts'
import type * as Cluster from '../src/cluster/index.ts'
import type * as Dns from '../src/dns/index.ts'
import type * as Image from '../src/image/index.ts'
import type * as Net from '../src/net/index.ts'
import type * as Qmp from '../src/qmp/index.ts'
import type * as Sys from '../src/sys/index.ts'
import type * as Vm from '../src/vm/index.ts'

interface Floors {
  base: typeof Base
  cluster: typeof Cluster
  dns: typeof Dns
  image: typeof Image
  net: typeof Net
  qmp: typeof Qmp
  sys: typeof Sys
  vm: typeof Vm
}

/**
 * The build of a floor, which users run. Its sources, run through a loader, would be measured with the
 * loader's overhead.
 */
export async function built<Name extends keyof Floors>(name: Name): Promise<Floors[Name]> {
  const file = new URL(`../dist/${name}/index.js`, import.meta.url)
  if (!existsSync(file)) throw new Error(`dist/${name} has not been built. Run: npm run build`)
  return import(file.href)
}
