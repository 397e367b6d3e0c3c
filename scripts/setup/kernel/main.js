// @ts-check
/**
 * What `xc kernel build` runs. It prints the folder of the kernel, ready for `xc start --kernel`.
 *
 * node scripts/setup/kernel/main.js [--fragment FILE]… [--jobs N] [--install] [--refresh]
 */
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { defaultCacheDir } from '../cache.js'
import { prepare } from '../prepare.js'
import { building } from './steps.js'

const { values } = parseArgs({
  options: {
    fragment: { type: 'string', multiple: true },
    jobs: { type: 'string' },
    install: { type: 'boolean' },
    refresh: { type: 'boolean' },
  },
})
const folder = join(defaultCacheDir(), 'kernels')
mkdirSync(folder, { recursive: true })
/** @type {ReturnType<typeof building> | undefined} */
let build
const options = {
  folder,
  fragments: values.fragment ?? [],
  jobs: Number(values.jobs ?? availableParallelism()),
  install: values.install ?? false,
  refresh: values.refresh ?? false,
}
const steps = () => {
  build = building(options)
  return build.steps
}
process.exitCode = await prepare(steps, {
  folder,
  log: join(folder, 'build.log'),
  busy: 'Another kernel is being built; waiting for it.',
})
if (process.exitCode === 0) console.log(build?.result())
